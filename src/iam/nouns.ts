/** Users, groups, roles and policies as targets of a call: found by the name or the ARN that it gives, and judged by their ARNs. */
import { parsePolicyArn } from '../model/iam-arn.ts'
import { checkGroupName, checkPolicyName, checkRoleName, checkUserName } from '../model/iam-names.ts'
import type { Group, IdentityType, ManagedPolicy, User } from '../model/identities.ts'
import type { Role } from '../model/role.ts'
import type { ActionCall, Target } from './action.ts'
import type { ConditionKeys } from './authorize.ts'
import type { Parameters } from './parameters.ts'
import { checked, noSuchEntity, validationError } from './refusals.ts'

/** What carries policies. */
export type Holder = User | Group | Role

export interface Noun<T extends Holder = Holder> {
  readonly type: T['type']
  /** As it stands in the names of actions: `User`. */
  readonly word: string
  readonly parameter: string
  readonly checkName: (name: string) => void
}

export const userNoun: Noun<User> = { type: 'user', word: 'User', parameter: 'UserName', checkName: checkUserName }
export const groupNoun: Noun<Group> = { type: 'group', word: 'Group', parameter: 'GroupName', checkName: checkGroupName }
export const roleNoun: Noun<Role> = { type: 'role', word: 'Role', parameter: 'RoleName', checkName: checkRoleName }

export const holderNouns: readonly Noun[] = [userNoun, groupNoun, roleNoun]

/** The ARN of what has, or would have, this name. */
export function arnOf(type: IdentityType, { accountId, path, name }: { accountId: string; path: string; name: string }): string {
  return `arn:aws:iam::${accountId}:${type}${path}${name}`
}

/** The name that a call gives. @throws S3Error ValidationError */
export function nameIn(noun: Noun, parameters: Parameters): string {
  const name = parameters.required(noun.parameter)
  checked(() => noun.checkName(name))
  return name
}

/** A target that is found by its name. */
export function named<T extends Holder>(noun: Noun<T>) {
  return async (call: ActionCall): Promise<Target<T>> => holderTarget(call, noun, nameIn(noun, call.parameters))
}

export const namedUser = named(userNoun)
export const namedGroup = named(groupNoun)
export const namedRole = named(roleNoun)

export async function holderTarget<T extends Holder>(
  { identities, caller: { accountId } }: ActionCall,
  noun: Noun<T>,
  name: string,
): Promise<Target<T>> {
  // What is kept under a type is of that type.
  const found = (await identities.identity({ accountId, type: noun.type, name })) as T | undefined
  const shown = `${noun.type} ${name}`
  if (found === undefined) return { arn: arnOf(noun.type, { accountId, path: '/', name }), shown, missing: noSuchHolder(noun, name) }
  return { arn: found.arn, shown, keys: keysOf(found), value: found }
}

export function noSuchHolder({ type }: Pick<Noun, 'type'>, name: string) {
  return noSuchEntity(`The ${type} with name ${name} cannot be found.`)
}

/** Condition keys that say what the touched identity is: its tags, and its boundary as the boundary's rules know it. */
export function keysOf(identity: Holder | ManagedPolicy): ConditionKeys {
  const tags = 'tags' in identity ? identity.tags : []
  const boundary = 'boundary' in identity ? identity.boundary : undefined
  return {
    ...Object.fromEntries(
      tags.flatMap(({ Key, Value }) => [`aws:ResourceTag/${Key}`, `iam:ResourceTag/${Key}`].map((key) => [key, Value])),
    ),
    ...(boundary !== undefined && { 'iam:PermissionsBoundary': boundary }),
  }
}

/** A managed policy, found by its ARN. */
export async function policyTarget(call: ActionCall): Promise<Target<ManagedPolicy>> {
  const arn = policyArnIn(call.parameters, 'PolicyArn')
  const value = await policyByArn(call, arn)
  const shown = `policy ${arn}`
  if (value === undefined) return { arn, shown, missing: noSuchPolicy(arn) }
  return { arn, shown, keys: keysOf(value), value }
}

export function noSuchPolicy(arn: string) {
  return noSuchEntity(`Policy ${arn} does not exist or is not attachable.`)
}

/** @throws S3Error ValidationError | InvalidInput */
export function policyArnIn(parameters: Parameters, name: string): string {
  const arn = parameters.required(name)
  if (parsePolicyArn(arn) === undefined) throw validationError(`Invalid ARN:  Could not be parsed!`)
  return arn
}

/** One of the account or one of AWS's. Undefined for the ARN of another account, and for one whose path is not the policy's. */
export async function policyByArn(
  { identities, caller }: Pick<ActionCall, 'identities'> & { readonly caller: { readonly accountId: string } },
  arn: string,
): Promise<ManagedPolicy | undefined> {
  const policy = await identities.policyByArn(arn)
  return policy?.accountId === 'aws' || policy?.accountId === caller.accountId ? policy : undefined
}

/** The account itself, for what touches nothing by name. */
export function accountTarget(): Target<undefined> {
  return { arn: '*', shown: '*', value: undefined }
}

/** For lists: IAM asks for the permission on the paths that are listed. */
export function underPath(type: IdentityType | 'instance-profile') {
  return ({ caller, parameters }: ActionCall): Target<string> => {
    const prefix = parameters.optional('PathPrefix') ?? '/'
    if (prefix.length > 512 || !/^\/[\x21-\x7e]*$/.test(prefix)) {
      throw validationError('The specified value for pathPrefix is invalid. It must begin with the / character.')
    }
    const arn = `arn:aws:iam::${caller.accountId}:${type}${prefix}`
    return { arn, shown: arn, value: prefix }
  }
}

/** The name of a policy that a call gives. @throws S3Error ValidationError */
export function policyNameIn(parameters: Parameters): string {
  const name = parameters.required('PolicyName')
  checked(() => checkPolicyName(name))
  return name
}

/** The key by which changes name an identity. */
export function keyOf<Type extends IdentityType>({ accountId, type, name }: { accountId: string; type: Type; name: string }) {
  return { accountId, type, name }
}
