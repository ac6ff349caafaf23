/** Which managed policies are attached to users, groups and roles: three actions each. */

import { parsePolicyArn } from '../model/iam-arn.ts'
import { type Action, iamAction } from './action.ts'
import { attachedDocument } from './documents.ts'
import { holderNouns, keyOf, type Noun, named, noSuchPolicy, policyArnIn, policyByArn } from './nouns.ts'
import { pageOfAll, pageParameters } from './paging.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html and its like for groups and roles */
export const attachmentActions: readonly Action[] = holderNouns.flatMap(actionsFor)

function actionsFor(noun: Noun): readonly Action[] {
  const { word, parameter } = noun
  const target = named(noun)
  const change = (name: string, kind: 'attachPolicy' | 'detachPolicy') =>
    iamAction({
      name,
      parameters: [parameter, 'PolicyArn'],
      async target(call) {
        const arn = policyArnIn(call.parameters, 'PolicyArn')
        const found = await target(call)
        return { ...found, keys: { ...found.keys, 'iam:PolicyARN': arn } }
      },
      async perform(call, holder) {
        const arn = policyArnIn(call.parameters, 'PolicyArn')
        // One that is gone may still be taken off.
        if (kind === 'attachPolicy' && (await policyByArn(call, arn)) === undefined) throw noSuchPolicy(arn)
        await call.identities.changeIdentities({ kind: 'editIdentity', of: keyOf(holder), edit: { kind, arn } })
        return undefined
      },
    })
  return [
    change(`Attach${word}Policy`, 'attachPolicy'),
    change(`Detach${word}Policy`, 'detachPolicy'),
    iamAction({
      name: `ListAttached${word}Policies`,
      parameters: [parameter, 'PathPrefix', ...pageParameters],
      target,
      async perform({ parameters }, { attachedPolicies }) {
        const prefix = parameters.optional('PathPrefix') ?? '/'
        const listed = attachedPolicies.filter((arn) => parsePolicyArn(arn)?.path.startsWith(prefix)).sort()
        const { items, members } = pageOfAll(listed, parameters, (arn) => arn)
        return { AttachedPolicies: { member: items.map(attachedDocument) }, ...members }
      },
    }),
  ]
}
