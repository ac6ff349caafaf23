/**
 * What policies say about a request. Whatever nobody here can tell counts against the request: it makes no Allow and no escape from a Deny.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import { evaluateConditions, type Truth } from './policy-conditions.ts'
import { PolicyContext } from './policy-context.ts'
import type { Matcher, PolicyDocument, PolicyStatement } from './policy-document.ts'
import { type Naming, names, namings, spares, type Who } from './policy-principals.ts'
import { expand } from './policy-variables.ts'
import { matchesPattern, matchesWildcards } from './wildcard.ts'

export interface PolicyRequest {
  /** As `s3:GetObject`; case does not matter. */
  readonly action: string
  /** An ARN, or `*` for what has none. */
  readonly resource: string
  /** Condition keys and what they hold; case of the keys does not matter. */
  readonly context?: GivenContext
}

/** A function is asked once at most, and only when a condition or a variable needs it. */
type GivenContext = PolicyContext | Readonly<Record<string, string | readonly string[]>> | (() => PolicyContext)

export type Verdict = 'allow' | 'explicitDeny' | 'implicitDeny'

/** What one policy allows as far as another lets it, as a permissions boundary or a session's policies do. */
export function within(own: Verdict, bound: Verdict): Verdict {
  if (own === 'explicitDeny' || bound === 'explicitDeny') return 'explicitDeny'
  return own === 'allow' && bound === 'allow' ? 'allow' : 'implicitDeny'
}

/** The documents are those of one identity, all of kind `identity`; a statement that is for some principal says nothing here. */
export function evaluate(documents: readonly PolicyDocument[], request: PolicyRequest): Verdict {
  return decide(documents, request, ({ principals }) => principals === undefined)
}

/** What a role's trust policy says to a service that would assume it. */
export function evaluateTrust(
  trust: PolicyDocument,
  request: { readonly service: string; readonly action: string; readonly context?: PolicyRequest['context'] },
): Verdict {
  const { service, action, context = {} } = request
  return decide([trust], { action, resource: '*', context }, ({ principals, effect }) => {
    if (principals === undefined) return false
    // Everyone means every caller with an account; a service is allowed only by its name, but denied with everyone.
    return principals.services.includes(service) || (effect === 'Deny' && principals.everyone)
  })
}

/** What the policy of a resource says to somebody: `allow` with how the nearest of the statements that allow it names him. */
export type ResourceVerdict = { readonly effect: 'allow'; readonly naming: Naming } | { readonly effect: 'explicitDeny' | 'implicitDeny' }

/** What a bucket's policy says to `who`. */
export function evaluateFor(who: Who, policy: PolicyDocument, request: PolicyRequest): ResourceVerdict {
  const context = lazyContext(request.context)
  const statementRequest = { ...wish(request), context, variables: policy.version === '2012-10-17' }
  let nearest = -1
  for (const statement of policy.statements) {
    const { principals, effect } = statement
    if (principals === undefined) continue
    const naming = principals.negated ? (spares(principals, who) ? undefined : 'everyone') : names(principals, who)
    if (naming === undefined) continue
    const applies = appliesTo(statement, statementRequest)
    if (effect === 'Deny' && applies !== false) return { effect: 'explicitDeny' }
    if (effect === 'Allow' && applies === true) nearest = Math.max(nearest, namings.indexOf(naming))
  }
  const naming = namings[nearest]
  return naming === undefined ? { effect: 'implicitDeny' } : { effect: 'allow', naming }
}

/** @param isFor  which statements speak of the one who asks */
export function decide(
  documents: readonly PolicyDocument[],
  request: PolicyRequest,
  isFor: (statement: PolicyStatement) => boolean,
): Verdict {
  const context = lazyContext(request.context)
  const { action, resource } = wish(request)
  let verdict: Verdict = 'implicitDeny'
  for (const document of documents) {
    const statementRequest = { action, resource, context, variables: document.version === '2012-10-17' }
    for (const statement of document.statements) {
      if (!isFor(statement)) continue
      const applies = appliesTo(statement, statementRequest)
      if (statement.effect === 'Deny' && applies !== false) return 'explicitDeny'
      if (statement.effect === 'Allow' && applies === true) verdict = 'allow'
    }
  }
  return verdict
}

function wish({ action, resource }: PolicyRequest): Pick<StatementRequest, 'action' | 'resource'> {
  return { action: action.toLowerCase(), resource }
}

function lazyContext(given: GivenContext = {}): () => PolicyContext {
  let made: PolicyContext | undefined
  return () => {
    made ??= typeof given === 'function' ? given() : given instanceof PolicyContext ? given : new PolicyContext(given)
    return made
  }
}

interface StatementRequest {
  /** In lower case. */
  readonly action: string
  readonly resource: string
  readonly context: () => PolicyContext
  readonly variables: boolean
}

function appliesTo(statement: PolicyStatement, request: StatementRequest): Truth {
  if (!matchesAction(statement.actions, request.action)) return false
  const resource = matchesResource(statement.resources, request)
  if (resource === false) return false
  if (statement.conditions.length === 0) return resource
  const conditions = evaluateConditions(statement.conditions, { context: request.context(), variables: request.variables })
  return conditions === true ? resource : conditions
}

/** @param action  in lower case, as the patterns are */
function matchesAction({ negated, patterns }: Matcher, action: string): boolean {
  return negated !== patterns.some((pattern) => matchesWildcards(pattern, action))
}

function matchesResource({ negated, patterns }: Matcher, { resource, context, variables }: StatementRequest): Truth {
  let matched: Truth = false
  for (const pattern of patterns) {
    if (!variables || !pattern.includes('${')) {
      if (matchesWildcards(pattern, resource)) return !negated
      continue
    }
    const expanded = expand(pattern, context())
    // A variable that the request lacks names no resource; left out of a NotResource, it would open everything.
    if (typeof expanded === 'string') matched = expanded === 'absent' && !negated ? matched : 'unknown'
    else if (matchesPattern(expanded.pattern, resource)) return !negated
  }
  if (matched === 'unknown') return 'unknown'
  return negated
}
