/** Which canonical ids of an ACL are accounts'. */
import type { ControlReads } from '../../control/door.ts'
import type { RequestedAcl } from '../../model/acl.ts'
import { grantsMax } from '../../model/limits.ts'

/**
 * Looks up whoever the request grants something to.
 * @param owners  canonical ids that own what the ACL is for: they need no look
 */
export async function knownUsers(
  control: Pick<ControlReads, 'accountByCanonicalId'>,
  requested: RequestedAcl | undefined,
  owners: readonly string[],
): Promise<(canonicalId: string) => boolean> {
  const known = new Set(owners)
  const asked = new Set(granteesOf(requested).filter((id) => !known.has(id)))
  // An ACL with more grants is refused for that.
  const accounts = await Promise.all([...asked].slice(0, grantsMax).map((id) => control.accountByCanonicalId(id)))
  for (const account of accounts) if (account !== undefined) known.add(account.canonicalId)
  return (canonicalId) => known.has(canonicalId)
}

function granteesOf(requested: RequestedAcl | undefined): readonly string[] {
  if (requested === undefined || requested.kind === 'canned') return []
  const grants = requested.kind === 'policy' ? requested.policy.Grants : requested.grants
  return grants.flatMap(({ Grantee }) => (Grantee.Type === 'CanonicalUser' ? [Grantee.ID] : []))
}
