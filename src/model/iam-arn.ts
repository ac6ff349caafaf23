/** Names of IAM's things as ARNs, taken apart. */
import type { IdentityType } from './identities.ts'

export interface IamArn {
  readonly accountId: string
  readonly type: IdentityType
  /** Begins and ends with `/`. */
  readonly path: string
  readonly name: string
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
const pattern = /^arn:aws:iam::([0-9]{12}|aws):(user|group|role|policy)(\/(?:[\x21-\x7e]{1,510}\/)?)([\w+=,.@-]{1,128})$/

/** Undefined when `text` is not the ARN of a user, a group, a role or a policy. AWS's own policies have the account `aws`. */
export function parseIamArn(text: string): IamArn | undefined {
  const [, accountId, type, path, name] = pattern.exec(text) ?? []
  if (accountId === undefined || path === undefined || name === undefined) return undefined
  if (type !== 'user' && type !== 'group' && type !== 'role' && type !== 'policy') return undefined
  return { accountId, type, path, name }
}

/** Undefined when `text` is not the ARN of a managed policy. */
export function parsePolicyArn(text: string): IamArn | undefined {
  const arn = parseIamArn(text)
  return arn?.type === 'policy' ? arn : undefined
}
