/**
 * IAM policy documents: the checked form, and how JSON text becomes it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import { type Condition, parseConditions } from './policy-conditions.ts'
import { asRecord, asTexts, shown, syntaxError } from './policy-elements.ts'
import { inPlace, PolicyError } from './policy-error.ts'
import { parsePolicyJson } from './policy-json.ts'
import type { PrincipalIds } from './policy-principal-ids.ts'

/** `identity`: hangs on a role or user. `trust`: says who may assume a role. `bucket`: hangs on a bucket (`policy-bucket.ts`). */
type PolicyKind = 'identity' | 'trust' | 'bucket'

export interface PolicyDocument {
  readonly kind: PolicyKind
  /** Variables are substituted only from 2012-10-17 on. */
  readonly version: '2008-10-17' | '2012-10-17'
  readonly statements: readonly PolicyStatement[]
}

export interface PolicyStatement {
  readonly sid?: string
  readonly effect: 'Allow' | 'Deny'
  /** In lower case: case does not matter, and they are asked about in every request. */
  readonly actions: Matcher
  /** Every resource in a trust policy, which has no Resource. */
  readonly resources: Matcher
  /** Only in the policy of a role's trust or of a bucket. */
  readonly principals?: Principals
  readonly conditions: readonly Condition[]
}

/** `negated`: NotAction or NotResource, which match what no pattern matches. */
export interface Matcher {
  readonly negated: boolean
  readonly patterns: readonly string[]
}

export interface Principals {
  /** NotPrincipal: all but these. */
  readonly negated?: true
  /** Everyone: `"Principal": "*"` or `{"AWS": "*"}`. */
  readonly everyone: boolean
  readonly services: readonly string[]
  /** ARNs and account numbers as written. */
  readonly aws: readonly string[]
  /** Issuers of web identities, by host and path or by ARN. */
  readonly federated: readonly string[]
  /** Only in a bucket's policy. */
  readonly canonicalUsers?: readonly string[]
  /** Whom the ARNs of users and roles meant when the policy was saved; where there is none, whoever bears the ARN. */
  readonly ids?: PrincipalIds
}

/** IAM: PutRolePolicy and CreateRole take documents of up to 131,072 characters, before any quota. */
const policyTextLengthMax = 131_072
/** IAM quota: a role's trust policy, white space not counted. */
const trustPolicySizeMax = 2048
/** IAM quota: all inline policies of a role together, white space not counted. */
export const roleInlinePoliciesSizeMax = 10_240

/** The size that IAM's quotas speak of: characters other than white space. */
export function policySize(text: string): number {
  return text.replace(/\s/g, '').length
}

/** @throws PolicyError */
export function parsePolicy(text: string, kind: 'identity' | 'trust'): PolicyDocument {
  if (text.length > policyTextLengthMax) throw new PolicyError('tooLarge', `A policy has at most ${policyTextLengthMax} characters.`)
  const quota = kind === 'trust' ? trustPolicySizeMax : roleInlinePoliciesSizeMax
  if (policySize(text) > quota)
    throw new PolicyError('tooLarge', `A policy of this kind has at most ${quota} characters besides white space.`)
  return parseDocument(text, kind, (statement) => ({
    actions: inPlace(statement.NotAction === undefined ? 'Action' : 'NotAction', () => parseActions(statement, kind)),
    ...(kind === 'trust' ? trustParts(statement) : identityParts(statement)),
  }))
}

type StatementParts = Pick<PolicyStatement, 'actions' | 'resources' | 'principals'>

/**
 * What policies of every kind have in common.
 * @param partsOf  reads what a statement of this kind is about, and for whom
 * @throws PolicyError malformed, naming the place
 */
export function parseDocument(text: string, kind: PolicyKind, partsOf: (statement: StatementJson) => StatementParts): PolicyDocument {
  const document = asRecord(parsePolicyJson(text), ['Version', 'Id', 'Statement'])
  if (document.Id !== undefined && typeof document.Id !== 'string') throw syntaxError('Id is no string')
  if (document.Statement === undefined) throw syntaxError('Missing required field Statement')
  const statements = Array.isArray(document.Statement) ? document.Statement : [document.Statement]
  if (statements.length === 0) throw syntaxError('Statement is an empty list')
  const parsed = statements.map((statement, index) => inPlace(`Statement[${index}]`, () => parseStatement(statement, partsOf)))
  const sids = parsed.flatMap(({ sid }) => (sid === undefined || sid === '' ? [] : [sid]))
  if (new Set(sids).size !== sids.length) throw new PolicyError('malformed', 'Statement IDs (SID) in a single policy must be unique.')
  return { kind, version: parseVersion(document.Version), statements: parsed }
}

function parseVersion(version: unknown): PolicyDocument['version'] {
  if (version === undefined) return '2008-10-17'
  if (version === '2008-10-17' || version === '2012-10-17') return version
  throw new PolicyError('malformed', 'The policy must contain a valid version string: "2012-10-17" or "2008-10-17"', { place: 'Version' })
}

const statementElements = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
] as const

export type StatementJson = Readonly<Partial<Record<(typeof statementElements)[number], unknown>>>

function parseStatement(value: unknown, partsOf: (statement: StatementJson) => StatementParts): PolicyStatement {
  const statement: StatementJson = asRecord(value, statementElements)
  const { Sid: sid, Effect: effect } = statement
  if (sid !== undefined && (typeof sid !== 'string' || !/^[0-9A-Za-z]*$/.test(sid))) {
    throw new PolicyError('malformed', 'Statement IDs (SID) must be alpha-numeric.')
  }
  if (effect === undefined) throw syntaxError('Missing required field Effect')
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw syntaxError(`${shown(effect)} is neither "Allow" nor "Deny"`).within('Effect')
  }
  return {
    ...(sid !== undefined && { sid }),
    effect,
    ...folded(partsOf(statement)),
    conditions: inPlace('Condition', () => parseConditions(statement.Condition)),
  }
}

function folded(parts: StatementParts): StatementParts {
  const { negated, patterns } = parts.actions
  return { ...parts, actions: { negated, patterns: patterns.map((pattern) => pattern.toLowerCase()) } }
}

function parseActions(statement: StatementJson, kind: 'identity' | 'trust'): Matcher {
  const matcher = parseMatcher({ plain: statement.Action, negated: statement.NotAction, missing: 'Policy statement must contain actions.' })
  for (const action of matcher.patterns) {
    if (kind === 'trust' && (matcher.negated || !trustActions.has(action.toLowerCase()))) {
      throw new PolicyError('malformed', 'AssumeRole policy may only specify STS AssumeRole actions.')
    }
    if (action !== '*' && !/^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$/.test(action)) {
      throw new PolicyError('malformed', 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.')
    }
  }
  return matcher
}

const trustActions: ReadonlySet<string> = new Set([
  'sts:assumerole',
  'sts:assumerolewithsaml',
  'sts:assumerolewithwebidentity',
  'sts:setcontext',
  'sts:setsourceidentity',
  'sts:tagsession',
])

function identityParts(statement: StatementJson): Pick<PolicyStatement, 'resources'> {
  if (statement.Principal !== undefined || statement.NotPrincipal !== undefined) {
    throw new PolicyError('malformed', 'Policy document should not specify a principal.')
  }
  return { resources: inPlace(statement.NotResource === undefined ? 'Resource' : 'NotResource', () => parseResources(statement)) }
}

function parseResources({ Resource: plain, NotResource: negated }: StatementJson): Matcher {
  const resources = parseMatcher({ plain, negated, missing: 'Policy statement must contain resources.' })
  for (const resource of resources.patterns) {
    if (resource !== '*' && !isArnPattern(resource)) {
      throw new PolicyError('malformed', `Resource ${resource.slice(0, 256)} must be in ARN format or "*".`)
    }
  }
  return resources
}

/** `arn:` and six parts; a variable may hold colons of its own. */
function isArnPattern(text: string): boolean {
  return text.startsWith('arn:') && text.replace(/\$\{[^{}]*\}/g, '').split(':').length >= 6
}

function trustParts(statement: StatementJson): Pick<PolicyStatement, 'resources' | 'principals'> {
  for (const name of ['Resource', 'NotResource', 'NotPrincipal'] as const) {
    if (statement[name] !== undefined) throw new PolicyError('malformed', `Has prohibited field ${name}`)
  }
  return { resources: { negated: false, patterns: ['*'] }, principals: inPlace('Principal', () => parsePrincipals(statement.Principal)) }
}

function parsePrincipals(value: unknown): Principals {
  if (value === undefined) throw new PolicyError('malformed', 'Missing required field Principal')
  if (value === '*') return { everyone: true, services: [], aws: [], federated: [] }
  const record = asRecord(value, ['AWS', 'Service', 'Federated', 'CanonicalUser'])
  const services = asTexts(record.Service ?? [])
  const aws = asTexts(record.AWS ?? [])
  const federated = asTexts(record.Federated ?? [])
  // Nobody who assumes roles is known by a canonical id: such a principal could never be met, and is checked for its form only.
  const others = asTexts(record.CanonicalUser ?? [])
  if (services.length + aws.length + federated.length + others.length === 0) throw syntaxError('Nobody is named')
  for (const service of services) {
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(service)) throw invalidPrincipal('SERVICE', service)
  }
  for (const principal of aws) {
    if (!/^(\*|[0-9]{12}|arn:aws:(iam|sts)::[0-9]{12}:[\x21-\x7e]+)$/.test(principal)) throw invalidPrincipal('AWS', principal)
  }
  return { everyone: aws.includes('*'), services, aws, federated }
}

function invalidPrincipal(type: string, value: string): PolicyError {
  return new PolicyError('malformed', `Invalid principal in policy: "${type}":"${value.slice(0, 256)}"`)
}

/** Exactly one of a pair such as Action and NotAction. @throws PolicyError malformed */
export function parseMatcher({ plain, negated, missing }: { plain: unknown; negated: unknown; missing: string }): Matcher {
  if (plain !== undefined && negated !== undefined) throw syntaxError('The element stands here both with Not and without')
  const patterns = asTexts(plain ?? negated ?? [])
  if (patterns.length === 0) throw new PolicyError('malformed', missing)
  return { negated: plain === undefined, patterns }
}
