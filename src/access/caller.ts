/** Who is asking. */
import type { PolicyDocument } from '../model/policy-document.ts'

export type Caller =
  | { readonly kind: 'anonymous' }
  | Principal
  /** Another region of this deployment, by the peering credential. It alone may set what a client never may. */
  | { readonly kind: 'peer'; readonly region: string }

/** Somebody of an account. `root`: the account itself, which needs no policy. `session`: whoever carries temporary credentials. */
export interface Principal {
  readonly kind: 'root' | 'user' | 'session'
  readonly accountId: string
  /** The account's canonical user id: the owner of what it makes. */
  readonly canonicalId: string
  readonly accessKeyId: string
  /** `arn:aws:iam::ID:root`, `arn:aws:iam::ID:user/path/name`, `arn:aws:sts::ID:assumed-role/role/session`, `arn:aws:sts::ID:federated-user/name` */
  readonly arn: string
  /** What `aws:userid` says: the account's id for root, `AIDA…`, `AROA…:session`, `ID:name` for the federated. */
  readonly userId: string
  /** What `aws:username` says: of users, and of sessions that a user got for itself. */
  readonly userName?: string
  readonly session?: Session
  readonly permissions: Permissions
}

/** Where temporary credentials came from. */
export interface Session {
  /** The role, the user or the root that the session acts as, by its IAM ARN. */
  readonly issuerArn: string
  /** Its unique id, the account's of the root: one made anew under the same name is another. */
  readonly issuerId: string
  readonly kind: 'role' | 'user' | 'root' | 'federated'
  readonly issuedMs: number
  readonly expiresMs: number
}

/**
 * What policies say of a principal, parsed: those of its own, its groups and attached ones together, within each of the others.
 * Root's are never asked but for `session`.
 */
export interface Permissions {
  readonly identity: readonly PolicyDocument[]
  /** The permissions boundary; absent: none. */
  readonly boundary?: readonly PolicyDocument[]
  /** Of the session; absent: none. */
  readonly session?: readonly PolicyDocument[]
}

export function isPrincipal(caller: Caller): caller is Principal {
  return caller.kind !== 'anonymous' && caller.kind !== 'peer'
}

/** The unique id behind the ARNs: of the user, of the role, user or root that a session acts as. */
export function principalId({ userId, session }: Principal): string {
  return session?.issuerId ?? userId
}
