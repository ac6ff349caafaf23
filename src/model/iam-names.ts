/**
 * What IAM lets users, groups, roles, policies and their other texts be.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 */

/** IAM answers it with 400 ValidationError. */
export class IamValidationError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'IamValidationError'
  }
}

const roleNameLengthMax = 64
const userNameLengthMax = 64
const groupNameLengthMax = 128
const policyNameLengthMax = 128
const pathLengthMax = 512
const descriptionLengthMax = 1000
/** IAM: MaxSessionDuration, in seconds. */
const sessionSecondsMin = 3600
const sessionSecondsMax = 43_200

/** @throws IamValidationError */
export function checkRoleName(name: string): void {
  checkText('roleName', name, { max: roleNameLengthMax, pattern: namePattern, shown: '[\\w+=,.@-]+' })
}

/** @throws IamValidationError */
export function checkUserName(name: string): void {
  checkText('userName', name, { max: userNameLengthMax, pattern: namePattern, shown: '[\\w+=,.@-]+' })
}

/** @throws IamValidationError */
export function checkGroupName(name: string): void {
  checkText('groupName', name, { max: groupNameLengthMax, pattern: namePattern, shown: '[\\w+=,.@-]+' })
}

/** @throws IamValidationError */
export function checkPolicyName(name: string): void {
  checkText('policyName', name, { max: policyNameLengthMax, pattern: namePattern, shown: '[\\w+=,.@-]+' })
}

/** Names a session of a role, or a federated user. @throws IamValidationError */
export function checkSessionName(name: string, { field, max = 64 }: { readonly field: string; readonly max?: number }): void {
  checkText(field, name, { min: 2, max, pattern: namePattern, shown: '[\\w+=,.@-]*' })
}

/** @throws IamValidationError */
export function checkExternalId(externalId: string): void {
  checkText('externalId', externalId, { min: 2, max: 1224, pattern: /^[\w+=,.@:/-]*$/, shown: '[\\w+=,.@:\\/-]*' })
}

/** `/`, or begins and ends with it. @throws IamValidationError */
export function checkPath(path: string): void {
  const isValid = path.length <= pathLengthMax && (path === '/' || /^\/[\x21-\x7e]+\/$/.test(path))
  if (!isValid) {
    throw new IamValidationError(
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
    )
  }
}

/** @throws IamValidationError */
export function checkDescription(description: string): void {
  const pattern = /^[\t\n\r\x20-\x7e\xa1-\xff]*$/
  checkText('description', description, {
    min: 0,
    max: descriptionLengthMax,
    pattern,
    shown: '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*',
  })
}

/** @param seconds  how long a session of the role may last @throws IamValidationError */
export function checkMaxSessionDuration(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= sessionSecondsMin && seconds <= sessionSecondsMax) return
  const bound = seconds > sessionSecondsMax ? `less than or equal to ${sessionSecondsMax}` : `greater than or equal to ${sessionSecondsMin}`
  throw refused('maxSessionDuration', `Member must have value ${bound}`)
}

/** Two names of one kind are the same name to IAM when this is equal: it keeps the case and does not count it. */
export function foldName(name: string): string {
  return name.toLowerCase()
}

const namePattern = /^[\w+=,.@-]+$/

interface TextRule {
  readonly min?: number
  readonly max: number
  readonly pattern: RegExp
  readonly shown: string
}

function checkText(field: string, value: string, { min = 1, max, pattern, shown }: TextRule): void {
  if (value.length < min) throw refused(field, `Member must have length greater than or equal to ${min}`)
  if (value.length > max) throw refused(field, `Member must have length less than or equal to ${max}`)
  if (!pattern.test(value)) throw refused(field, `Member must satisfy regular expression pattern: ${shown}`)
}

function refused(field: string, constraint: string): IamValidationError {
  return new IamValidationError(`1 validation error detected: Value at '${field}' failed to satisfy constraint: ${constraint}`)
}
