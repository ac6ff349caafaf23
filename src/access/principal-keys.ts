/**
 * What conditions may ask about who calls, the same for every service.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
 */
import type { Principal } from './caller.ts'

/** Without those that a caller of this kind does not have. */
export function principalKeys(caller: Principal): Readonly<Record<string, string>> {
  const { accountId, arn, session, userId, userName } = caller
  return {
    // Of a role's session the ARN is the role's, which is what policies name.
    'aws:PrincipalArn': session?.kind === 'role' ? session.issuerArn : arn,
    'aws:PrincipalAccount': accountId,
    'aws:PrincipalType': principalType(caller),
    'aws:userid': userId,
    ...(userName !== undefined && { 'aws:username': userName }),
    ...(session !== undefined && { 'aws:TokenIssueTime': new Date(session.issuedMs).toISOString() }),
  }
}

function principalType({ kind, session }: Principal): string {
  if (session?.kind === 'role') return 'AssumedRole'
  if (session?.kind === 'federated') return 'FederatedUser'
  return kind === 'root' || session?.kind === 'root' ? 'Account' : 'User'
}
