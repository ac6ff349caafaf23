/** Access keys that this region knows, and whose they are. */
import type { Caller } from './caller.ts'

/** The first account, and its root key. */
export interface RootCredentials {
  readonly accountId: string
  readonly canonicalId: string
  readonly rootAccessKeyId: string
  readonly rootSecretAccessKey: string
}

/** The key of another region of this deployment, if the id is one's. */
export type PeerKeyOf = (accessKeyId: string) => { readonly region: string; readonly secretAccessKey: string } | undefined

/** What a request may be signed with, and whose it is. */
export interface Credential {
  readonly secretAccessKey: string
  /** Of temporary credentials: the request must carry exactly this token. */
  readonly sessionToken?: string
  /** Milliseconds since 1970; from then on the token is refused as ExpiredToken. */
  readonly expiresMs?: number
  readonly caller: Caller
}

/** What a request says that it was signed with. */
export interface ClaimedKey {
  readonly accessKeyId: string
  /** x-amz-security-token */
  readonly sessionToken: string | undefined
}

export interface Keys {
  /** Undefined for a key that is nobody's, that is inactive, or whose account is disabled. */
  find(key: ClaimedKey): Promise<Credential | undefined>
}

export function createKeys(root: RootCredentials, peerKeyOf: PeerKeyOf): Keys {
  const { accountId, canonicalId, rootAccessKeyId, rootSecretAccessKey } = root
  const rootCredential: Credential = {
    secretAccessKey: rootSecretAccessKey,
    caller: {
      kind: 'root',
      accountId,
      canonicalId,
      accessKeyId: rootAccessKeyId,
      arn: `arn:aws:iam::${accountId}:root`,
      userId: accountId,
      permissions: { identity: [] },
    },
  }
  return {
    async find({ accessKeyId }) {
      if (accessKeyId === rootAccessKeyId) return rootCredential
      const peer = peerKeyOf(accessKeyId)
      return peer && { secretAccessKey: peer.secretAccessKey, caller: { kind: 'peer', region: peer.region } }
    },
  }
}
