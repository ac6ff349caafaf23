/**
 * Whom the ARNs of a policy meant when it was saved: a user or a role that is deleted and made anew under its name is another, and has nothing of what was
 * given to the first.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
import { parseIamArn } from './iam-arn.ts'
import type { IdentityKey } from './identities.ts'
import type { PolicyDocument } from './policy-document.ts'
import { PolicyError } from './policy-error.ts'

/** Unique ids, `AIDA…` and `AROA…`, by the ARN that stands in the policy. Of a role's session it is the role's. */
export type PrincipalIds = Readonly<Record<string, string>>

/** Which user or role stands behind the ARN of a principal; undefined for every other ARN. */
export function identityOfPrincipal(arn: string): IdentityKey<'user' | 'role'> | undefined {
  const [, accountId, name] = sessionArnPattern.exec(arn) ?? []
  if (accountId !== undefined && name !== undefined) return { accountId, type: 'role', name }
  const named = parseIamArn(arn)
  return named?.type === 'user' || named?.type === 'role' ? { accountId: named.accountId, type: named.type, name: named.name } : undefined
}

/** ARNs that must be of somebody who is there. Accounts are not: their numbers are never used again. */
export function principalArns({ statements }: PolicyDocument): readonly string[] {
  return [...new Set(statements.flatMap(({ principals }) => principals?.aws.filter(isOfSomebody) ?? []))]
}

/** @throws PolicyError malformed, for a principal without an id */
export function checkPrincipals(arns: readonly string[], ids: PrincipalIds): void {
  const missing = arns.find((arn) => ids[arn] === undefined)
  if (missing !== undefined) throw new PolicyError('malformed', `Invalid principal in policy: "AWS":"${missing.slice(0, 256)}"`)
}

/** @param ids  absent: the policy is older than they are, and its ARNs mean whoever bears them */
export function withPrincipalIds(policy: PolicyDocument, ids: PrincipalIds | undefined): PolicyDocument {
  if (ids === undefined) return policy
  const statements = policy.statements.map((statement) => {
    const { principals } = statement
    return principals === undefined ? statement : { ...statement, principals: { ...principals, ids } }
  })
  return { ...policy, statements }
}

/** The text as it is shown: whoever is gone stands in it by his unique id. */
export function shownPolicy(
  text: string,
  { ids = {}, standing }: { readonly ids?: PrincipalIds; readonly standing: PrincipalIds },
): string {
  const gone = new Map(Object.entries(ids).filter(([arn, id]) => standing[arn] !== id))
  if (gone.size === 0) return text
  const shown = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shown)
    return typeof value === 'string' ? (gone.get(value) ?? value) : value
  }
  return JSON.stringify(JSON.parse(text), (name, value: unknown) => {
    // Within Principal and NotPrincipal alone: a condition may hold the same text.
    const isPrincipal = (name === 'Principal' || name === 'NotPrincipal') && typeof value === 'object' && value !== null
    return isPrincipal && 'AWS' in value ? { ...value, AWS: shown(value.AWS) } : value
  })
}

function isOfSomebody(name: string): boolean {
  return name.startsWith('arn:') && !accountOrFederated.test(name)
}

/** NOTE: a path may hold the same words. */
const accountOrFederated = /^arn:aws:(iam::[0-9]{12}:root$|sts::[0-9]{12}:federated-user\/)/
const sessionArnPattern = /^arn:aws:sts::([0-9]{12}):assumed-role\/([\w+=,.@-]{1,64})\/[\w+=,.@-]{2,64}$/
