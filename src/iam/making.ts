/** What the making of users, groups, roles and policies has in common. */
import { base32Letters, randomText } from '../lib/random-text.ts'
import { checkDescription, checkPath } from '../model/iam-names.ts'
import { checkIamTags } from '../model/iam-tags.ts'
import type { IdentityType } from '../model/identities.ts'
import type { Tag } from '../model/tags.ts'
import type { ActionCall, Target } from './action.ts'
import type { ConditionKeys } from './authorize.ts'
import { arnOf, noSuchPolicy, policyArnIn, policyByArn } from './nouns.ts'
import type { Parameters } from './parameters.ts'
import { checked } from './refusals.ts'

export const tagParameters = ['Tags.member.#.Key', 'Tags.member.#.Value'] as const

export interface Newcomer {
  readonly name: string
  readonly path: string
  readonly arn: string
  readonly tags: readonly Tag[]
  readonly boundary?: string
}

/** Something that is not there yet, by the ARN that it would have. */
export function newcomer(type: IdentityType, call: ActionCall, name: string): Target<Newcomer> {
  const { parameters, caller } = call
  const path = parameters.optional('Path') ?? '/'
  checked(() => checkPath(path))
  const tags = tagsIn(parameters)
  const boundary = parameters.optional('PermissionsBoundary') === undefined ? undefined : policyArnIn(parameters, 'PermissionsBoundary')
  const arn = arnOf(type, { accountId: caller.accountId, path, name })
  const keys = { ...requestTagKeys(tags), ...(boundary !== undefined && { 'iam:PermissionsBoundary': boundary }) }
  return { arn, shown: arn, keys, value: { name, path, arn, tags, ...(boundary !== undefined && { boundary }) } }
}

/** The permission that tags need beside that of making what bears them. */
export function alsoTag(type: 'User' | 'Role' | 'Policy') {
  return ({ parameters }: ActionCall): readonly string[] => (tagsIn(parameters).length === 0 ? [] : [`Tag${type}`])
}

/** @throws S3Error InvalidInput | ValidationError */
export function tagsIn(parameters: Parameters): readonly Tag[] {
  const tags = parameters.structures('Tags', (at) => ({ Key: parameters.required(`${at}.Key`), Value: parameters.required(`${at}.Value`) }))
  checkIamTags(tags)
  return tags
}

export function requestTagKeys(tags: readonly Tag[]): ConditionKeys {
  if (tags.length === 0) return {}
  return {
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    'aws:TagKeys': tags.map(({ Key }) => Key),
  }
}

/** @throws S3Error NoSuchEntity for a boundary that is no policy of the account, nor one of AWS's */
export async function checkBoundary(call: ActionCall, boundary: string | undefined): Promise<void> {
  if (boundary !== undefined && (await policyByArn(call, boundary)) === undefined) throw noSuchPolicy(boundary)
}

/** @throws S3Error ValidationError */
export function descriptionIn(parameters: Parameters): string | undefined {
  const description = parameters.optional('Description')
  if (description !== undefined) checked(() => checkDescription(description))
  return description
}

const idLength = 17

/** IAM's form: the prefix says of what type it is, and 17 characters of base32 follow. */
export function newId(prefix: 'AIDA' | 'AGPA' | 'AROA' | 'ANPA'): string {
  return prefix + randomText(idLength, base32Letters)
}
