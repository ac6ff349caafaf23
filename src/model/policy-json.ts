/** Reads a policy's JSON text strictly: a name twice in one object is refused, because only one of the two would count. */
import { shown, syntaxError } from './policy-elements.ts'
import { PolicyError } from './policy-error.ts'

/** @throws PolicyError malformed */
export function parsePolicyJson(text: string): unknown {
  const value = parse(text)
  const repeated = repeatedName(text)
  if (repeated !== undefined) throw syntaxError(`The name ${shown(repeated)} stands twice in one object`)
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new PolicyError('malformed', 'This policy contains invalid Json', { cause })
  }
}

/** `text` is known to be JSON, so that a string right after `{`, or after a comma in an object, is a name. */
function repeatedName(text: string): string | undefined {
  // One entry an open bracket: the names so far of an object, or undefined in an array.
  const open: (Set<string> | undefined)[] = []
  let nameExpected = false
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token !== ',' && nameExpected) {
      const names = open.at(-1)
      const name = String(JSON.parse(token))
      if (names?.has(name)) return name
      names?.add(name)
    }
    nameExpected = token === '{' || (token === ',' && open.at(-1) !== undefined)
  }
  return undefined
}
