/** Permissions boundaries of users and roles. */
import type { User } from '../model/identities.ts'
import type { Role } from '../model/role.ts'
import { type Action, iamAction } from './action.ts'
import { checkBoundary } from './making.ts'
import { keyOf, type Noun, named, policyArnIn, roleNoun, userNoun } from './nouns.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html and its like for roles */
export const boundaryActions: readonly Action[] = [...actionsFor(userNoun), ...actionsFor(roleNoun)]

function actionsFor<T extends User | Role>(noun: Noun<T>): readonly Action[] {
  const { word, parameter } = noun
  const target = named(noun)
  return [
    iamAction({
      name: `Put${word}PermissionsBoundary`,
      parameters: [parameter, 'PermissionsBoundary'],
      async target(call) {
        const found = await target(call)
        // Of the two boundaries, the one that is and the one that is to be, IAM's condition key says the latter.
        return { ...found, keys: { ...found.keys, 'iam:PermissionsBoundary': policyArnIn(call.parameters, 'PermissionsBoundary') } }
      },
      async perform(call, holder) {
        const arn = policyArnIn(call.parameters, 'PermissionsBoundary')
        await checkBoundary(call, arn)
        await call.identities.changeIdentities({ kind: 'editIdentity', of: keyOf(holder), edit: { kind: 'setBoundary', arn } })
        return undefined
      },
    }),
    iamAction({
      name: `Delete${word}PermissionsBoundary`,
      parameters: [parameter],
      target,
      async perform({ identities }, holder) {
        await identities.changeIdentities({ kind: 'editIdentity', of: keyOf(holder), edit: { kind: 'setBoundary' } })
        return undefined
      },
    }),
  ]
}
