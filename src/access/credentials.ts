/** Access keys that this region knows, and whose they are. */
import type { Caller } from './caller.ts'

/** The account that owns everything, and its root key. */
export interface RootCredentials {
  readonly accountId: string
  readonly canonicalId: string
  readonly rootAccessKeyId: string
  readonly rootSecretAccessKey: string
}

/** The key of another region of this deployment, if the id is one's. */
export type PeerKeyOf = (accessKeyId: string) => { readonly region: string; readonly secretAccessKey: string } | undefined

export interface Keys {
  secretOf(accessKeyId: string): { readonly secretAccessKey: string } | undefined
  /** Whose a key is that `secretOf` knows; undefined stands for no key at all. */
  callerOf(accessKeyId: string | undefined): Caller
}

export function createKeys(root: RootCredentials, peerKeyOf: PeerKeyOf): Keys {
  const { accountId, canonicalId, rootAccessKeyId, rootSecretAccessKey } = root
  return {
    secretOf: (accessKeyId) => (accessKeyId === rootAccessKeyId ? { secretAccessKey: rootSecretAccessKey } : peerKeyOf(accessKeyId)),
    callerOf(accessKeyId) {
      if (accessKeyId === undefined) return { kind: 'anonymous' }
      if (accessKeyId === rootAccessKeyId) {
        return { kind: 'root', accountId, canonicalId, accessKeyId, arn: `arn:aws:iam::${accountId}:root` }
      }
      const peer = peerKeyOf(accessKeyId)
      // NOTE: a signature was verified with this key a moment ago, and keys do not change while a region runs.
      if (peer === undefined) throw new Error(`the access key ${accessKeyId} is nobody's`)
      return { kind: 'peer', region: peer.region }
    },
  }
}
