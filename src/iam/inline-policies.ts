/** The policies that stand in a user, a group or a role itself: four actions each. */
import type { PolicyDocument } from '../model/policy-document.ts'
import { parsePolicy } from '../model/policy-document.ts'
import { type Action, iamAction } from './action.ts'
import { urlEncoded } from './documents.ts'
import { holderNouns, keyOf, type Noun, named, policyNameIn } from './nouns.ts'
import { pageOfAll, pageParameters } from './paging.ts'
import { checked, noSuchEntity } from './refusals.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html and its like for groups and roles */
export const inlinePolicyActions: readonly Action[] = holderNouns.flatMap(actionsFor)

function actionsFor(noun: Noun): readonly Action[] {
  const { word, parameter, type } = noun
  const target = named(noun)
  return [
    iamAction({
      name: `Put${word}Policy`,
      parameters: [parameter, 'PolicyName', 'PolicyDocument'],
      target,
      async perform({ identities, parameters }, holder) {
        const policyName = policyNameIn(parameters)
        const document = parameters.required('PolicyDocument')
        checked((): PolicyDocument => parsePolicy(document, 'identity'))
        await identities.changeIdentities({
          kind: 'editIdentity',
          of: keyOf(holder),
          edit: { kind: 'putInlinePolicy', policyName, document },
        })
        return undefined
      },
    }),
    iamAction({
      name: `Get${word}Policy`,
      parameters: [parameter, 'PolicyName'],
      target,
      async perform({ parameters }, { name, inlinePolicies }) {
        const policyName = policyNameIn(parameters)
        const document = Object.hasOwn(inlinePolicies, policyName) ? inlinePolicies[policyName] : undefined
        if (document === undefined) throw noSuchEntity(`The ${type} policy with name ${policyName} cannot be found.`)
        return { [parameter]: name, PolicyName: policyName, PolicyDocument: urlEncoded(document) }
      },
    }),
    iamAction({
      name: `List${word}Policies`,
      parameters: [parameter, ...pageParameters],
      target,
      async perform({ parameters }, { inlinePolicies }) {
        const { items, members } = pageOfAll(Object.keys(inlinePolicies).sort(), parameters, (name) => name)
        return { PolicyNames: { member: items }, ...members }
      },
    }),
    iamAction({
      name: `Delete${word}Policy`,
      parameters: [parameter, 'PolicyName'],
      target,
      async perform({ identities, parameters }, holder) {
        const policyName = policyNameIn(parameters)
        await identities.changeIdentities({ kind: 'editIdentity', of: keyOf(holder), edit: { kind: 'deleteInlinePolicy', policyName } })
        return undefined
      },
    }),
  ]
}
