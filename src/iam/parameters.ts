/** The parameters of one call: each is read by name, and one that nobody reads is refused. */
import { S3Error } from '../model/errors.ts'
import type { QueryCall } from '../s3/query-api.ts'
import { notNull, validationError } from './refusals.ts'

/** Of every call, and of a signature that stands in the query. */
const common = /^(Action|Version|X-Amz-.*)$/
/** Ours: members of all lists of a call. IAM's own lists are shorter; the longest is the resources of a simulation. */
const membersMax = 1000

export class Parameters {
  readonly #call: Pick<QueryCall, 'action' | 'parameters'>

  /**
   * @param names those that the action reads; of lists each member, as `Tags.member.#.Key`
   * @throws S3Error NotImplemented for any other, by name | ValidationError (one twice, too many members)
   */
  constructor(call: Pick<QueryCall, 'action' | 'parameters'>, names: readonly string[]) {
    this.#call = call
    let members = 0
    for (const [name, value] of call.parameters.entries()) {
      if (call.parameters.isRepeated(name)) throw validationError(`The parameter ${name.slice(0, 128)} is repeated.`)
      const isMember = name.includes('.member.')
      if (isMember) members += 1
      if (members > membersMax) throw validationError(`A call has at most ${membersMax} members of lists.`)
      // An SDK writes an empty list as an empty parameter, which asks for nothing.
      if (common.test(name) || (value === '' && !isMember) || names.includes(generalName(name))) continue
      throw new S3Error('NotImplemented', { message: `The parameter ${listName(name)} of ${call.action} is not supported by this server.` })
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

  /** @throws S3Error ValidationError (anything but `true` and `false`) */
  boolean(name: string): boolean | undefined {
    const text = this.optional(name)?.toLowerCase()
    if (text === undefined || text === 'true' || text === 'false') return text === undefined ? undefined : text === 'true'
    throw validationError(`The value of ${name} must be true or false.`)
  }

  /** @throws S3Error ValidationError (another value) */
  oneOf<const V extends readonly string[]>(name: string, values: V): V[number] | undefined {
    const text = this.optional(name)
    if (text === undefined || values.includes(text)) return text
    const member = `${name.charAt(0).toLowerCase()}${name.slice(1)}`
    throw validationError(
      `1 validation error detected: Value '${text.slice(0, 128)}' at '${member}' failed to satisfy constraint: Member must satisfy enum value set: [${values.join(', ')}]`,
    )
  }

  /** The members of a list of texts, in their order. */
  list(name: string): readonly string[] {
    return this.#members(name).map((member) => this.optional(member) ?? '')
  }

  /** The members of a list of structures, each to be read with the names of its own: `(at) => parameters.optional(`${at}.Key`)`. */
  structures<T>(name: string, read: (at: string) => T): readonly T[] {
    return this.#members(name).map(read)
  }

  #members(name: string): readonly string[] {
    const numbers = new Set<number>()
    for (const parameter of this.#call.parameters.names()) {
      if (!parameter.startsWith(`${name}.member.`)) continue
      const [, number] = /^([0-9]{1,6})(?:\.|$)/.exec(parameter.slice(name.length + '.member.'.length)) ?? []
      if (number !== undefined) numbers.add(Number(number))
    }
    return [...numbers].sort((a, b) => a - b).map((number) => `${name}.member.${number}`)
  }
}

/** `Tags.member.1.Key` → `Tags.member.#.Key` */
function generalName(parameter: string): string {
  return parameter.replace(/\.member\.(0|[1-9][0-9]{0,5})(?=\.|$)/g, '.member.#')
}

/** `Tags.member.1.Key` → `Tags` */
function listName(parameter: string): string {
  return parameter.replace(/\.member\..*$/, '').slice(0, 128)
}
