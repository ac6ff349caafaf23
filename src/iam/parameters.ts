/** The parameters of one call: each is read by name, and one that nobody reads is refused. */
import { S3Error } from '../model/errors.ts'
import type { QueryCall } from '../s3/query-api.ts'
import { notNull, validationError } from './refusals.ts'

/** Of every call, and of a signature that stands in the query. */
const common = /^(Action|Version|X-Amz-.*)$/

export class Parameters {
  readonly #call: Pick<QueryCall, 'action' | 'parameters'>

  /**
   * @param names those that the action reads
   * @throws S3Error NotImplemented for any other, by name | ValidationError (one twice)
   */
  constructor(call: Pick<QueryCall, 'action' | 'parameters'>, names: readonly string[]) {
    this.#call = call
    for (const [name, value] of call.parameters.entries()) {
      if (call.parameters.isRepeated(name)) throw validationError(`The parameter ${name.slice(0, 128)} is repeated.`)
      // An SDK writes an empty list as an empty parameter, which asks for nothing.
      if (common.test(name) || names.includes(name) || value === '') continue
      throw new S3Error('NotImplemented', { message: `The parameter ${named(name)} of ${call.action} is not supported by this server.` })
    }
  }

  /** @throws S3Error ValidationError when it is absent */
  required(name: string): string {
    const value = this.optional(name)
    if (value === undefined) throw notNull(name)
    return value
  }

  optional(name: string): string | undefined {
    return this.#call.parameters.get(name)
  }

  /** @throws S3Error ValidationError (no whole number) */
  integer(name: string): number | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    if (!/^[+-]?[0-9]{1,15}$/.test(text)) throw validationError(`The value of ${name} must be an integer.`)
    return Number(text)
  }
}

/** `Tags.member.1.Key` → `Tags` */
function named(parameter: string): string {
  return parameter.replace(/\.member\..*$/, '').slice(0, 128)
}
