/** From rows to principals: whose key or session it is, and what its policies say, read once for each state of the rows. */
import type { HeldPolicies, KeyHolder, SessionHolder } from '../metadata/tables/held-policies.ts'
import type { Account } from '../model/identities.ts'
import { type PolicyDocument, parsePolicy } from '../model/policy-document.ts'
import { PolicyError } from '../model/policy-error.ts'
import type { Permissions, Principal, Session } from './caller.ts'
import type { OpenedSession } from './session-tokens.ts'

/** NOTE: a document that cannot be read may have held a Deny: it is never left out, it denies everything. */
export function readPolicies(documents: readonly string[]): readonly PolicyDocument[] {
  return documents.map((document) => {
    try {
      return parsePolicy(document, 'identity')
    } catch (error) {
      if (error instanceof PolicyError) return everythingDenied
      throw error
    }
  })
}

/** Of a key of the account's root, or of a user. */
export function principalOfKey({ key, account, user, policies }: KeyHolder): Principal {
  const { accessKeyId } = key
  if (user === undefined) return rootPrincipal(account, accessKeyId)
  const { arn, id: userId, name: userName } = user
  return { kind: 'user', ...accountOf(account), accessKeyId, arn, userId, userName, permissions: permissionsOf(policies) }
}

export function rootPrincipal(account: Pick<Account, 'accountId' | 'canonicalId'>, accessKeyId: string): Principal {
  const { accountId } = account
  return {
    kind: 'root',
    ...accountOf(account),
    accessKeyId,
    arn: rootArn(account),
    userId: accountId,
    permissions: { identity: [] },
  }
}

export interface SessionParts {
  readonly accessKeyId: string
  readonly session: OpenedSession
  readonly holder: SessionHolder
  /** What the managed policies say that narrow the session. */
  readonly narrowing: readonly string[]
}

export function principalOfSession({ accessKeyId, session, holder, narrowing }: SessionParts): Principal {
  const { account, identity } = holder
  const { kind } = session.issuer
  const about: Session = {
    issuerArn: identity?.arn ?? rootArn(account),
    issuerId: identity?.id ?? account.accountId,
    kind,
    issuedMs: session.issuedMs,
    expiresMs: session.expiresMs,
  }
  // The root has no policies; inside a session it is somebody who may do everything.
  const own = identity === undefined ? { identity: [everythingAllowed] } : permissionsOf(holder.policies)
  const narrowed = [...session.policies, ...narrowing]
  // A federated session without a policy may do nothing but what others let it do.
  const isNarrowed = kind === 'federated' || narrowed.length > 0
  return {
    kind: 'session',
    ...accountOf(account),
    accessKeyId,
    ...namesOf(session, holder),
    session: about,
    permissions: { ...own, ...(isNarrowed && { session: readPolicies(narrowed) }) },
  }
}

function namesOf(
  { issuer: { kind }, sessionName = '' }: OpenedSession,
  { account, identity }: SessionHolder,
): Pick<Principal, 'arn' | 'userId' | 'userName'> {
  const { accountId } = account
  switch (kind) {
    case 'federated':
      return { arn: `arn:aws:sts::${accountId}:federated-user/${sessionName}`, userId: `${accountId}:${sessionName}` }
    case 'role':
      return {
        arn: `arn:aws:sts::${accountId}:assumed-role/${identity?.name}/${sessionName}`,
        userId: `${identity?.id}:${sessionName}`,
      }
    case 'user':
    case 'root':
      if (identity === undefined) return { arn: rootArn(account), userId: accountId }
      return { arn: identity.arn, userId: identity.id, userName: identity.name }
    default:
      return kind satisfies never
  }
}

function permissionsOf({ documents, boundary }: HeldPolicies): Permissions {
  return { identity: readPolicies(documents), ...(boundary !== undefined && { boundary: readPolicies([boundary]) }) }
}

function accountOf({ accountId, canonicalId }: Pick<Account, 'accountId' | 'canonicalId'>) {
  return { accountId, canonicalId }
}

function rootArn({ accountId }: Pick<Account, 'accountId'>): string {
  return `arn:aws:iam::${accountId}:root`
}

const everythingAllowed = statement('Allow')
const everythingDenied = statement('Deny')

function statement(effect: 'Allow' | 'Deny'): PolicyDocument {
  return parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: effect, Action: '*', Resource: '*' }] }), 'identity')
}
