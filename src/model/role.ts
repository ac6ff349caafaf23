/** A role: who may be it, and what it may do. */
import { bucketArn } from './arn.ts'
import type { Named, Policies } from './identities.ts'
import { evaluateTrust } from './policy.ts'
import { type PolicyDocument, parsePolicy, policySize, roleInlinePoliciesSizeMax } from './policy-document.ts'
import { PolicyError } from './policy-error.ts'
import { type PrincipalIds, withPrincipalIds } from './policy-principal-ids.ts'
import type { Tag } from './tags.ts'

export interface Role extends Named, Policies {
  readonly type: 'role'
  /** JSON, as it was given. */
  readonly trustPolicy: string
  /** Whom it names; absent: it is older than this, and speaks of whoever bears an ARN. */
  readonly trustPrincipals?: PrincipalIds
  readonly description?: string
  /** Seconds. */
  readonly maxSessionDuration?: number
  /** The ARN of the managed policy that bounds it. */
  readonly boundary?: string
  readonly tags: readonly Tag[]
}

/** A role, and the documents of the managed policies that are attached to it or bound it. */
export interface HeldRole {
  readonly role: Role
  readonly attached: readonly string[]
  /** Absent: no boundary. */
  readonly boundary?: string
}

/** A role with its documents read: made once for each state of the role, and then evaluated for every delivery. */
export interface ParsedRole {
  readonly role: Role
  readonly trust: PolicyDocument
  readonly policies: readonly PolicyDocument[]
  /** What is not allowed here is not allowed at all; absent: no boundary. */
  readonly boundary?: PolicyDocument
}

/** @throws PolicyError for a document that cannot be read */
export function parseRole({ role, attached, boundary }: HeldRole): ParsedRole {
  return {
    role,
    trust: readTrust(role),
    policies: [...Object.values(role.inlinePolicies), ...attached].map((document) => parsePolicy(document, 'identity')),
    ...(boundary !== undefined && { boundary: parsePolicy(boundary, 'identity') }),
  }
}

/** @throws PolicyError */
export function readTrust({ trustPolicy, trustPrincipals }: Role): PolicyDocument {
  return withPrincipalIds(parsePolicy(trustPolicy, 'trust'), trustPrincipals)
}

/** In the order of their names, as IAM lists them. */
export function inlinePolicyNames(role: Role): readonly string[] {
  return Object.keys(role.inlinePolicies).sort()
}

export function inlinePolicy(role: Role, name: string): string | undefined {
  return Object.hasOwn(role.inlinePolicies, name) ? role.inlinePolicies[name] : undefined
}

/** Adds the policy, or puts it in the place of the one of that name. @throws PolicyError malformed | tooLarge (all of them together) */
export function withInlinePolicy(role: Role, { name, document }: { readonly name: string; readonly document: string }): Role {
  parsePolicy(document, 'identity')
  const inlinePolicies = Object.fromEntries([...Object.entries(withoutInlinePolicy(role, name).inlinePolicies), [name, document]])
  const size = Object.values(inlinePolicies).reduce((sum, text) => sum + policySize(text), 0)
  if (size > roleInlinePoliciesSizeMax) {
    throw new PolicyError('tooLarge', `Maximum policy size of ${roleInlinePoliciesSizeMax} bytes exceeded for role ${role.name}`)
  }
  return { ...role, inlinePolicies }
}

export function withoutInlinePolicy(role: Role, name: string): Role {
  return { ...role, inlinePolicies: Object.fromEntries(Object.entries(role.inlinePolicies).filter(([known]) => known !== name)) }
}

/**
 * Whether the trust policy lets a service be the role.
 * @param sourceBucket  for which the service acts: what aws:SourceArn and aws:SourceAccount say
 */
export function mayAssume(
  { role, trust }: Pick<ParsedRole, 'role' | 'trust'>,
  { service, sourceBucket }: { readonly service: string; readonly sourceBucket: string },
): boolean {
  const context = { 'aws:SourceArn': bucketArn(sourceBucket), 'aws:SourceAccount': role.accountId, 'aws:PrincipalServiceName': service }
  return evaluateTrust(trust, { service, action: 'sts:AssumeRole', context }) === 'allow'
}
