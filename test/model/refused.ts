/** The S3Error that a rule throws; fails the test when it throws none. */
import { S3Error } from '../../src/model/errors.ts'

export function refused(rule: () => unknown): S3Error {
  try {
    rule()
  } catch (error) {
    if (error instanceof S3Error) return error
    throw error
  }
  throw new Error('the rule refused nothing')
}

/** The code of what a rule throws, or `undefined` when it is content. */
export function verdict(rule: () => unknown): string | undefined {
  try {
    rule()
    return undefined
  } catch (error) {
    if (error instanceof S3Error) return error.code
    throw error
  }
}
