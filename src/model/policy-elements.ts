/** Reading the pieces of a policy's JSON. */
import { PolicyError } from './policy-error.ts'

/** In IAM's words, and then in ours. */
export function syntaxError(why: string): PolicyError {
  return new PolicyError('malformed', `Syntax errors in policy. ${why}`)
}

/** A piece of a document, as a sentence can hold it. */
export function shown(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 128)
}

/** An object with no other members than these (any, when none are given). @throws PolicyError */
export function asRecord<Name extends string>(value: unknown, names?: readonly Name[]): Readonly<Partial<Record<Name, unknown>>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw syntaxError(`${shown(value)} is no object`)
  for (const name of Object.keys(value)) {
    if (names !== undefined && !names.some((known) => known === name)) throw syntaxError(`There is no element ${shown(name)} here`)
  }
  // Just checked: an object, and each of its members is among the names.
  return value as Readonly<Partial<Record<Name, unknown>>>
}

/** One string, or a list of strings. @throws PolicyError */
export function asTexts(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.map((one) => {
    if (typeof one !== 'string') throw syntaxError(`${shown(one)} is no string`)
    return one
  })
}
