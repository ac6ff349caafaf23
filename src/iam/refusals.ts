/** IAM's refusals, in its own codes and words. */
import { S3Error } from '../model/errors.ts'
import { IamValidationError } from '../model/iam-names.ts'
import { PolicyError } from '../model/policy-error.ts'

export function validationError(message: string): S3Error {
  return new S3Error('ValidationError', { message })
}

/** @param parameter as the call spells it; the message begins it in lower case */
export function notNull(parameter: string): S3Error {
  const member = `${parameter.charAt(0).toLowerCase()}${parameter.slice(1)}`
  return validationError(`1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must not be null`)
}

export function noSuchEntity(message: string): S3Error {
  return new S3Error('NoSuchEntity', { message })
}

export function alreadyExists(what: string): S3Error {
  return new S3Error('EntityAlreadyExists', { message: `${what} already exists.` })
}

export function deleteConflict(message: string): S3Error {
  return new S3Error('DeleteConflict', { message: `Cannot delete entity, ${message}.` })
}

/** Does what rules of `model/` may refuse, and says it as IAM does. @throws S3Error ValidationError | MalformedPolicyDocument | LimitExceeded */
export function checked<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof IamValidationError) throw new S3Error('ValidationError', { message: error.message, cause: error })
    if (error instanceof PolicyError) {
      throw new S3Error(error.kind === 'malformed' ? 'MalformedPolicyDocument' : 'LimitExceeded', { message: error.message, cause: error })
    }
    throw error
  }
}
