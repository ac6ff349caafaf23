/** Reading the pieces of a policy's JSON. */
import { PolicyError } from './policy-error.ts'

export function syntaxError(): PolicyError {
  return new PolicyError('malformed', 'Syntax errors in policy.')
}

/** An object with no other members than these (any, when none are given). @throws PolicyError */
export function asRecord<Name extends string>(value: unknown, names?: readonly Name[]): Readonly<Partial<Record<Name, unknown>>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw syntaxError()
  for (const name of Object.keys(value)) {
    if (names !== undefined && !names.some((known) => known === name)) throw syntaxError()
  }
  // Just checked: an object, and each of its members is among the names.
  return value as Readonly<Partial<Record<Name, unknown>>>
}

/** One string, or a list of strings. @throws PolicyError */
export function asTexts(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.map((one) => {
    if (typeof one !== 'string') throw syntaxError()
    return one
  })
}
