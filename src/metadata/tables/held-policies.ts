/** What policies say of somebody, gathered from wherever they stand: in the identity, in its groups, attached, and for a boundary. */
import { parseRoleArn } from '../../model/arn.ts'
import type { AccessKey, Account, ManagedPolicy, Policies, User } from '../../model/identities.ts'
import type { HeldRole, Role } from '../../model/role.ts'
import type { Steps } from '../steps.ts'
import { accessKeyById, accountById } from './accounts.ts'
import { identityByName, policyByArn } from './identities.ts'

/** Documents as they were given. */
export interface HeldPolicies {
  readonly documents: readonly string[]
  /** Absent: no boundary. */
  readonly boundary?: string
}

/** An access key and whose it is, all as it stands. */
export interface KeyHolder {
  readonly key: AccessKey
  readonly account: Account
  /** Absent: the account's root. */
  readonly user?: User
  readonly policies: HeldPolicies
}

export function* holderOfKey(accessKeyId: string): Steps<KeyHolder | undefined> {
  const key = yield* accessKeyById(accessKeyId)
  const account = key && (yield* accountById(key.accountId))
  if (key === undefined || account === undefined) return undefined
  if (key.userName === undefined) return { key, account, policies: { documents: [] } }
  const user = yield* identityByName({ accountId: key.accountId, type: 'user', name: key.userName })
  return user && { key, account, user, policies: yield* policiesOfUser(user) }
}

/** Whom a session acts for: a user, a role or the account's root. */
export interface SessionHolder {
  readonly account: Account
  readonly identity?: User | Role
  readonly policies: HeldPolicies
}

/** @param issuer  `ACCOUNT/user/NAME`, `ACCOUNT/role/NAME` or `ACCOUNT` for the root */
export function* holderOfSession(issuer: string): Steps<SessionHolder | undefined> {
  const [accountId = '', type, name = ''] = issuer.split('/')
  const account = yield* accountById(accountId)
  if (account === undefined) return undefined
  if (type === 'user') {
    const identity = yield* identityByName({ accountId, type, name })
    return identity && { account, identity, policies: yield* policiesOfUser(identity) }
  }
  if (type === 'role') {
    const identity = yield* identityByName({ accountId, type, name })
    return identity && { account, identity, policies: { documents: yield* documentsOf(identity), ...(yield* boundaryOf(identity)) } }
  }
  return { account, policies: { documents: [] } }
}

/** The role of exactly that ARN. */
export function* roleWithPolicies(arn: string): Steps<HeldRole | undefined> {
  const named = parseRoleArn(arn)
  if (named === undefined) return undefined
  const role = yield* identityByName({ accountId: named.accountId, type: 'role', name: named.name })
  // The name alone is not the role: the path is of it too.
  if (role?.arn !== arn) return undefined
  return { role, attached: yield* attachedDocuments(role), ...(yield* boundaryOf(role)) }
}

/** What the policy of that ARN says now: its default version. One that is not there any more is a text that cannot be read, and so denies. */
export function* documentOfPolicy(arn: string): Steps<string> {
  const policy = yield* policyByArn(arn)
  return policy === undefined ? '' : defaultDocument(policy)
}

function* policiesOfUser(user: User): Steps<HeldPolicies> {
  const documents = [...(yield* documentsOf(user))]
  for (const name of user.groups) {
    const group = yield* identityByName({ accountId: user.accountId, type: 'group', name })
    if (group !== undefined) documents.push(...(yield* documentsOf(group)))
  }
  return { documents, ...(yield* boundaryOf(user)) }
}

function* documentsOf(holder: Policies): Steps<readonly string[]> {
  return [...Object.values(holder.inlinePolicies), ...(yield* attachedDocuments(holder))]
}

function* attachedDocuments({ attachedPolicies }: Policies): Steps<readonly string[]> {
  const documents: string[] = []
  for (const arn of attachedPolicies) documents.push(yield* documentOfPolicy(arn))
  return documents
}

function* boundaryOf({ boundary }: User | Role): Steps<{ readonly boundary?: string }> {
  return boundary === undefined ? {} : { boundary: yield* documentOfPolicy(boundary) }
}

function defaultDocument({ versions, defaultVersionId }: ManagedPolicy): string {
  return versions.find(({ id }) => id === defaultVersionId)?.document ?? ''
}
