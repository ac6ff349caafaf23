import { describe, expect, it } from 'vitest'
import { compilePattern, literalPattern, matchesPattern, matchesWildcards } from '../../src/model/wildcard.ts'

/** Says what matching means, without any thought of speed. */
function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [wanted, ...rest] = pattern
  if (wanted === undefined) return text.length === 0
  if (wanted === '*') return naive(rest, text) || (text.length > 0 && naive(pattern, text.slice(1)))
  const [character, ...left] = text
  return character !== undefined && (wanted === '?' || wanted === character) && naive(rest, left)
}

/** A small generator, so that a failure comes again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('wildcards', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'any:thing/at all', true],
    ['?', '', false],
    ['?', 'a', true],
    ['?', '😀', true],
    ['??', '😀', false],
    ['*?', '😀', true],
    ['a*c', 'abbbc', true],
    ['a*c', 'abbb', false],
    ['*.jpg', 'a.jpg.jpg', true],
    ['s3:Get*Version*', 's3:GetObjectVersionAcl', true],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['A', 'a', false],
  ])('%j and %j: %s', (pattern, text, expected) => {
    expect(matchesPattern(compilePattern(pattern), text)).toBe(expected)
    expect(matchesWildcards(pattern, text)).toBe(expected)
  })

  it('agrees with the plain definition on thousands of small cases', () => {
    const below = randomNumbers(7)
    const pick = (alphabet: readonly string[], length: number) => Array.from({ length }, () => alphabet[below(alphabet.length)] ?? '')
    let matched = 0
    for (let round = 0; round < 20_000; round += 1) {
      const pattern = pick(['a', 'b', '*', '?', '😀'], below(8))
      const text = pick(['a', 'b', '😀'], below(9))
      const expected = naive(pattern, text)
      if (expected) matched += 1
      expect(matchesPattern(compilePattern(pattern.join('')), text.join('')), `${pattern.join('')} on ${text.join('')}`).toBe(expected)
    }
    // Both answers were really asked for.
    expect(matched).toBeGreaterThan(1000)
    expect(matched).toBeLessThan(19_000)
  })

  it('takes wildcards of a literal as characters', () => {
    expect(matchesPattern(literalPattern('a*?'), 'a*?')).toBe(true)
    expect(matchesPattern(literalPattern('a*?'), 'abc')).toBe(false)
  })

  it('answers at once where a backtracking matcher would not', () => {
    const pattern = compilePattern(`${'*a'.repeat(500)}b`)
    const startedMs = performance.now()
    expect(matchesPattern(pattern, 'a'.repeat(1024))).toBe(false)
    expect(performance.now() - startedMs).toBeLessThan(1000)
  })
})
