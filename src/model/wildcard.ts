/**
 * Patterns with `*` (any run of characters, also none) and `?` (one character), as policies use them.
 * Matching never goes back past the last `*`: at worst pattern length times text length, whatever the pattern. No regular expression
 * is made.
 */

/** Compiled: UTF-16 code units, with the two wildcards as negative numbers, so that a literal `*` can be told from the wildcard. */
export type Pattern = readonly number[]

const anyRun = -1
const anyOne = -2

export function compilePattern(text: string): Pattern {
  return Array.from({ length: text.length }, (_, index) => {
    const unit = text.charCodeAt(index)
    return unit === star ? anyRun : unit === questionMark ? anyOne : unit
  })
}

/** A pattern that matches exactly `text`, wildcards in it being characters. */
export function literalPattern(text: string): Pattern {
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
}

/** As `matchesPattern`, compiling only what stands behind the first wildcard, and only when all before it fits: most patterns end there. */
export function matchesWildcards(pattern: string, text: string): boolean {
  if (pattern === '*' || pattern === text) return true
  let at = 0
  for (; at < pattern.length; at++) {
    const unit = pattern.charCodeAt(at)
    if (unit === star || unit === questionMark) break
    if (unit !== text.charCodeAt(at)) return false
  }
  if (at === pattern.length) return false
  if (at === pattern.length - 1 && pattern.charCodeAt(at) === star) return true
  return matchesPattern(compilePattern(pattern.slice(at)), text.slice(at))
}

export function matchesPattern(pattern: Pattern, text: string): boolean {
  let at = 0
  let next = 0
  // Where the last `*` stands, and up to where of the text it has been taken to reach.
  let starAt = -1
  let reach = 0
  while (at < text.length) {
    const wanted = pattern[next]
    if (wanted === anyRun) {
      starAt = next
      reach = at
      next += 1
    } else if (wanted === anyOne) {
      at += characterLength(text, at)
      next += 1
    } else if (wanted === text.charCodeAt(at)) {
      at += 1
      next += 1
    } else if (starAt >= 0) {
      reach += characterLength(text, reach)
      at = reach
      next = starAt + 1
    } else {
      return false
    }
  }
  while (pattern[next] === anyRun) next += 1
  return next === pattern.length
}

const star = 0x2a
const questionMark = 0x3f

/** Code units of the character at `index`: two for a surrogate pair. */
function characterLength(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1
}
