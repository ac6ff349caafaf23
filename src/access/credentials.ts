/** Access keys that this region knows, and whose they are. */
import type { Caller } from './caller.ts'
import { rootPrincipal } from './holders.ts'
import { StoredKeys, type StoredKeysParts } from './stored-keys.ts'

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

/** @param stored  where all other keys stand; without it there are none */
export function createKeys(root: RootCredentials, peerKeyOf: PeerKeyOf, stored?: StoredKeysParts): Keys {
  const { rootAccessKeyId } = root
  const rootCredential: Credential = { secretAccessKey: root.rootSecretAccessKey, caller: rootPrincipal(root, rootAccessKeyId) }
  const storedKeys = stored && new StoredKeys(stored)
  return {
    async find({ accessKeyId, sessionToken }) {
      // The configuration's own key opens whatever the rows say: who set it up is never locked out.
      if (accessKeyId === rootAccessKeyId) return rootCredential
      const peer = peerKeyOf(accessKeyId)
      if (peer !== undefined) return { secretAccessKey: peer.secretAccessKey, caller: { kind: 'peer', region: peer.region } }
      // A token with a key that needs none is the signature's business to refuse.
      const key = await storedKeys?.findKey(accessKeyId)
      if (key !== undefined || sessionToken === undefined) return key
      return await storedKeys?.findSession(accessKeyId, sessionToken)
    },
  }
}
