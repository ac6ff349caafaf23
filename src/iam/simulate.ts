/** What policies would say of a wish: the same evaluation that decides, asked without anything being done. */

import { parseIamArn } from '../model/iam-arn.ts'
import type { Group, User } from '../model/identities.ts'
import { evaluate, type Verdict } from '../model/policy.ts'
import { type PolicyDocument, parsePolicy } from '../model/policy-document.ts'
import type { Role } from '../model/role.ts'
import type { XmlValue } from '../s3/xml/write.ts'
import { type Action, type ActionCall, iamAction, type Target } from './action.ts'
import type { ConditionKeys } from './authorize.ts'
import { accountTarget, groupNoun, type Holder, holderTarget, type Noun, policyByArn, roleNoun, userNoun } from './nouns.ts'
import { pageByCount, pageParameters } from './paging.ts'
import type { Parameters } from './parameters.ts'
import { checked, noSuchEntity, validationError } from './refusals.ts'

const simulateParameters = [
  'ActionNames.member.#',
  'ResourceArns.member.#',
  'PolicyInputList.member.#',
  'PermissionsBoundaryPolicyInputList.member.#',
  'ContextEntries.member.#.ContextKeyName',
  'ContextEntries.member.#.ContextKeyType',
  'ContextEntries.member.#.ContextKeyValues.member.#',
  ...pageParameters,
] as const

interface NamedPolicy {
  readonly id: string
  readonly document: PolicyDocument
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html */
const SimulatePrincipalPolicy = iamAction({
  name: 'SimulatePrincipalPolicy',
  parameters: ['PolicySourceArn', ...simulateParameters],
  target: sourceTarget,

  async perform(call, source) {
    const policies = [...(await policiesOf(call, source)), ...inputPolicies(call.parameters, 'PolicyInputList')]
    const arn = 'boundary' in source ? source.boundary : undefined
    const given = inputPolicies(call.parameters, 'PermissionsBoundaryPolicyInputList')
    const boundary = given.length > 0 ? given : arn === undefined ? undefined : await managed(call, [arn])
    const own = { 'aws:PrincipalArn': source.arn, 'aws:PrincipalAccount': source.accountId, 'aws:userid': source.id }
    const keys = source.type === 'user' ? { ...own, 'aws:username': source.name } : own
    return results(call, { policies, boundary, keys })
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html */
const SimulateCustomPolicy = iamAction({
  name: 'SimulateCustomPolicy',
  parameters: simulateParameters,
  target: accountTarget,

  async perform(call) {
    const policies = inputPolicies(call.parameters, 'PolicyInputList')
    if (policies.length === 0) throw validationError('PolicyInputList must hold at least one policy.')
    const given = inputPolicies(call.parameters, 'PermissionsBoundaryPolicyInputList')
    return results(call, { policies, boundary: given.length > 0 ? given : undefined, keys: {} })
  },
})

export const simulateActions: readonly Action[] = [SimulatePrincipalPolicy, SimulateCustomPolicy]

async function sourceTarget(call: ActionCall): Promise<Target<Holder>> {
  const text = call.parameters.required('PolicySourceArn')
  const arn = parseIamArn(text)
  if (arn === undefined || arn.type === 'policy') throw validationError('Invalid Entity Arn: the source must be a user, a group or a role.')
  const missing = noSuchEntity(`The ${arn.type} with ARN ${text} cannot be found.`)
  // Another account's are nobody's here.
  if (arn.accountId !== call.caller.accountId) return { arn: text, shown: text, missing }
  const noun: Noun = arn.type === 'user' ? userNoun : arn.type === 'group' ? groupNoun : roleNoun
  const found = await holderTarget(call, noun, arn.name)
  return 'value' in found && found.value.arn !== text ? { arn: text, shown: text, missing } : found
}

/** All that gives an identity its permissions, those of its groups too. */
async function policiesOf(call: ActionCall, holder: User | Group | Role): Promise<readonly NamedPolicy[]> {
  const inline = Object.entries(holder.inlinePolicies).map(([name, document]) => ({
    id: `${holder.type}_${holder.name}_${name}`,
    document: parsePolicy(document, 'identity'),
  }))
  const own = [...inline, ...(await managed(call, holder.attachedPolicies))]
  if (holder.type !== 'user') return own
  const { accountId } = holder
  const groups = await Promise.all(holder.groups.map((name) => call.identities.identity({ accountId, type: 'group', name })))
  const ofGroups = await Promise.all(groups.map((group) => (group === undefined ? [] : policiesOf(call, group))))
  return [...own, ...ofGroups.flat()]
}

async function managed(call: ActionCall, arns: readonly string[]): Promise<readonly NamedPolicy[]> {
  const found = await Promise.all(arns.map((arn) => policyByArn(call, arn)))
  return found.flatMap((policy) => {
    const version = policy?.versions.find(({ id }) => id === policy.defaultVersionId)
    return policy === undefined || version === undefined ? [] : [{ id: policy.name, document: parsePolicy(version.document, 'identity') }]
  })
}

function inputPolicies(parameters: Parameters, list: string): readonly NamedPolicy[] {
  return parameters.list(list).map((text, at) => ({ id: `${list}.${at + 1}`, document: checked(() => parsePolicy(text, 'identity')) }))
}

interface Simulation {
  readonly policies: readonly NamedPolicy[]
  readonly boundary: readonly NamedPolicy[] | undefined
  readonly keys: ConditionKeys
}

/** Ours: actions times resources of one call, each of which is evaluated. */
const wishesMax = 5000

function results({ parameters, nowMs }: ActionCall, { policies, boundary, keys }: Simulation): XmlValue {
  const names = parameters.list('ActionNames')
  if (names.length === 0) throw validationError('ActionNames must hold at least one action.')
  for (const name of names) {
    if (!/^[A-Za-z0-9-]+:[A-Za-z0-9]+$/.test(name)) throw validationError(`Invalid Action Name: ${name.slice(0, 128)}`)
  }
  const given = parameters.list('ResourceArns')
  const wishes = names.flatMap((action) => (given.length === 0 ? ['*'] : given).map((resource) => ({ action, resource })))
  if (wishes.length > wishesMax) throw validationError(`A simulation has at most ${wishesMax} pairs of an action and a resource.`)
  const context = { 'aws:CurrentTime': new Date(nowMs).toISOString(), ...keys, ...contextEntries(parameters) }
  const { items, members } = pageByCount(wishes, parameters)
  const member = items.map((wish) => {
    const documents = policies.map(({ document }) => document)
    const own = evaluate(documents, { ...wish, context })
    const bounds =
      boundary &&
      evaluate(
        boundary.map(({ document }) => document),
        { ...wish, context },
      )
    // The policies that alone would say the same.
    const matched = policies.filter(({ document }) => own !== 'implicitDeny' && evaluate([document], { ...wish, context }) === own)
    return {
      EvalActionName: wish.action,
      EvalResourceName: wish.resource,
      EvalDecision: decisionName(together(own, bounds)),
      MatchedStatements: { member: matched.map(({ id }) => ({ SourcePolicyId: id })) },
      MissingContextValues: {},
      ...(bounds !== undefined && { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: bounds === 'allow' } }),
    }
  })
  return { EvaluationResults: { member }, ...members }
}

function together(own: Verdict, bounds: Verdict = 'allow'): Verdict {
  if (own === 'explicitDeny' || bounds === 'explicitDeny') return 'explicitDeny'
  return own === 'allow' && bounds === 'allow' ? 'allow' : 'implicitDeny'
}

function decisionName(verdict: Verdict): string {
  return verdict === 'allow' ? 'allowed' : verdict
}

function contextEntries(parameters: Parameters): ConditionKeys {
  const entries = parameters.structures(
    'ContextEntries',
    (at) => [parameters.required(`${at}.ContextKeyName`), parameters.list(`${at}.ContextKeyValues`)] as const,
  )
  return Object.fromEntries(entries)
}
