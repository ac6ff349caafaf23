/** Users, groups, roles and managed policies, as the control log has made them. */

import { awsManagedPolicy, isAwsManagedArn } from '../../model/aws-managed-policies.ts'
import { parsePolicyArn } from '../../model/iam-arn.ts'
import { foldName } from '../../model/iam-names.ts'
import type { Identity, IdentityKey, IdentityOf, IdentityType, ManagedPolicy, PolicyUse } from '../../model/identities.ts'
import { identityOfPrincipal, type PrincipalIds } from '../../model/policy-principal-ids.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../steps.ts'
import { json, number, text } from './columns.ts'

export function* identityByName<Type extends IdentityType>({
  accountId,
  type,
  name,
}: IdentityKey<Type>): Steps<IdentityOf<Type> | undefined> {
  // IAM tells names apart by their letters alone: "Replicator" and "replicator" are one role.
  const [row] = yield statement('SELECT record FROM identities WHERE account_id = ?1 AND type = ?2 AND name = ?3', accountId, type, name)
  return row === undefined ? undefined : json<IdentityOf<Type>>(row.record)
}

export function* scanIdentities<Type extends IdentityType>(page: {
  readonly accountId: string
  readonly type: Type
  readonly after: string
  readonly limit: number
}): Steps<readonly IdentityOf<Type>[]> {
  const rows = yield statement(
    'SELECT record FROM identities WHERE account_id = ?1 AND type = ?2 AND name > ?3 ORDER BY name LIMIT ?4',
    page.accountId,
    page.type,
    page.after,
    page.limit,
  )
  return rows.map((row) => json<IdentityOf<Type>>(row.record))
}

/** Of the users and roles that bear these ARNs; of a role's session the role's. */
export function* principalIds(arns: readonly string[]): Steps<PrincipalIds> {
  const ids: Record<string, string> = {}
  for (const arn of arns) {
    const key = identityOfPrincipal(arn)
    const identity = key && (yield* identityByName(key))
    // The path is of an ARN too, but not of a session's.
    if (identity !== undefined && (identity.arn === arn || arn.startsWith('arn:aws:sts:'))) ids[arn] = identity.id
  }
  return ids
}

/** AWS's own or an account's. The name alone is not the policy: the path is of the ARN too. */
export function* policyByArn(arn: string): Steps<ManagedPolicy | undefined> {
  if (isAwsManagedArn(arn)) return awsManagedPolicy(arn)
  const named = parsePolicyArn(arn)
  if (named === undefined) return undefined
  const policy = yield* identityByName({ accountId: named.accountId, type: 'policy', name: named.name })
  return policy?.arn === arn ? policy : undefined
}

/** How one identity hangs on another: `member` of a group, a policy `attached`, a policy for a `boundary`. */
export type LinkKind = 'member' | 'attached' | 'boundary'

export interface LinkedPage<Type extends IdentityType = IdentityType> {
  /** The ARN of a managed policy, or a group. */
  readonly target: string | IdentityKey<'group'>
  readonly kind: LinkKind
  /** The account that the linked are of. */
  readonly accountId: string
  readonly type: Type
  readonly after: string
  readonly limit: number
}

/** The identities of one type and account that hang on a policy or a group, in the order of their names. */
export function* scanLinked<Type extends IdentityType>(page: LinkedPage<Type>): Steps<readonly IdentityOf<Type>[]> {
  const { target, kind, accountId, type, after, limit } = page
  const rows = yield statement(
    `SELECT identities.record FROM identity_links AS links
       JOIN identities ON identities.account_id = links.account_id AND identities.type = links.type AND identities.name = links.name
     WHERE links.target = ?1 AND links.kind = ?2 AND links.account_id = ?3 AND links.type = ?4 AND links.name > ?5
     ORDER BY links.name LIMIT ?6`,
    typeof target === 'string' ? target : groupTarget(target),
    kind,
    accountId,
    type,
    after,
    limit,
  )
  return rows.map((row) => json<IdentityOf<Type>>(row.record))
}

/** How often the managed policies that an account uses are used, by their ARNs; AWS's own are among them. */
export function* policyUses(accountId: string): Steps<ReadonlyMap<string, PolicyUse>> {
  return usesOf(
    yield statement(
      `SELECT target, kind, count(*) AS uses FROM identity_links INDEXED BY identity_links_of
       WHERE account_id = ?1 AND kind IN ('attached', 'boundary') GROUP BY target, kind`,
      accountId,
    ),
  )
}

/** The same of one policy. */
export function* policyUse({ accountId, arn }: { readonly accountId: string; readonly arn: string }): Steps<PolicyUse> {
  const rows = yield statement(
    `SELECT target, kind, count(*) AS uses FROM identity_links
     WHERE target = ?1 AND kind IN ('attached', 'boundary') AND account_id = ?2 GROUP BY target, kind`,
    arn,
    accountId,
  )
  return usesOf(rows).get(arn) ?? unused
}

const unused: PolicyUse = { attachments: 0, boundaries: 0 }

function usesOf(rows: readonly Row[]): ReadonlyMap<string, PolicyUse> {
  const uses = new Map<string, PolicyUse>()
  for (const { target, kind, uses: counted } of rows) {
    const arn = text(target)
    uses.set(arn, { ...(uses.get(arn) ?? unused), [kind === 'attached' ? 'attachments' : 'boundaries']: number(counted) })
  }
  return uses
}

/** Whether anything hangs on the policy of that ARN, or on the group. */
export function* isLinked(target: string | IdentityKey<'group'>): Steps<boolean> {
  const rows = yield statement(
    'SELECT 1 FROM identity_links WHERE target = ?1 LIMIT 1',
    typeof target === 'string' ? target : groupTarget(target),
  )
  return rows.length > 0
}

export function* writeIdentity(identity: Identity, context: TransactionContext): Steps<void> {
  const { accountId, type, name } = identity
  yield* dropIdentity(identity)
  yield statement(
    'INSERT INTO identities (account_id, type, name, record, seq) VALUES (?1, ?2, ?3, ?4, ?5)',
    accountId,
    type,
    name,
    JSON.stringify(identity),
    context.seq,
  )
  for (const [kind, target] of linksOf(identity)) {
    yield statement(
      'INSERT OR IGNORE INTO identity_links (target, kind, account_id, type, name, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)',
      target,
      kind,
      accountId,
      type,
      name,
      context.seq,
    )
  }
}

export function* dropIdentity({ accountId, type, name }: IdentityKey): Steps<void> {
  yield statement('DELETE FROM identities WHERE account_id = ?1 AND type = ?2 AND name = ?3', accountId, type, name)
  yield statement('DELETE FROM identity_links WHERE account_id = ?1 AND type = ?2 AND name = ?3', accountId, type, name)
}

function linksOf(identity: Identity): readonly (readonly [LinkKind, string])[] {
  if (identity.type === 'policy') return []
  const attached = identity.attachedPolicies.map((arn) => ['attached', arn] as const)
  if (identity.type === 'group') return attached
  const boundary = identity.boundary === undefined ? [] : [['boundary', identity.boundary] as const]
  if (identity.type === 'role') return [...attached, ...boundary]
  const { accountId, groups } = identity
  return [...attached, ...boundary, ...groups.map((name) => ['member', groupTarget({ accountId, type: 'group', name })] as const)]
}

function groupTarget({ accountId, name }: IdentityKey<'group'>): string {
  return `group:${accountId}:${foldName(name)}`
}
