/**
 * Policy variables: `${aws:username}`, `${aws:username, 'default'}`, and `${*}`, `${?}`, `${$}` for the characters themselves.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
import type { PolicyContext } from './policy-context.ts'
import { compilePattern, literalPattern, type Pattern } from './wildcard.ts'

/** What a text of a policy stands for in one request. */
export interface Expanded {
  /** Wildcards of the text are wildcards; those of a variable's value are characters. */
  readonly pattern: Pattern
  readonly text: string
}

/**
 * `absent`: it names a variable that the request truly lacks. `unknown`: one that nobody here knows of, or that has many values.
 * @param context  undefined where the policy's version has no variables
 */
export function expand(text: string, context: PolicyContext | undefined): Expanded | 'absent' | 'unknown' {
  if (context === undefined || !text.includes('${')) return { pattern: compilePattern(text), text }
  const pattern: number[] = []
  let plain = ''
  let end = 0
  for (const match of text.matchAll(/\$\{([^{}]*)\}/g)) {
    const value = variableValue(match[1] ?? '', context)
    if (typeof value !== 'object') return value
    const before = text.slice(end, match.index)
    pattern.push(...compilePattern(before), ...literalPattern(value.text))
    plain += before + value.text
    end = match.index + match[0].length
  }
  const rest = text.slice(end)
  return { pattern: [...pattern, ...compilePattern(rest)], text: plain + rest }
}

function variableValue(expression: string, context: PolicyContext): { readonly text: string } | 'absent' | 'unknown' {
  if (expression === '*' || expression === '?' || expression === '$') return { text: expression }
  const [, name = '', fallback] = /^([^,]*)(?:,\s*'([^']*)'\s*)?$/.exec(expression) ?? []
  const key = name.trim()
  const values = context.values(key)
  if (values?.length === 1) return { text: values[0] ?? '' }
  if (values !== undefined) return 'unknown'
  if (fallback !== undefined) return { text: fallback }
  return context.knows(key) ? 'absent' : 'unknown'
}
