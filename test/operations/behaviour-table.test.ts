/**
 * Where servers of this kind usually differ from AWS, point by point, and the tests that assert what this one does. A test that is renamed or
 * removed is missed here. Points that are about other things (CORS, POST forms) are not in the table.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { firstPoints } from './behaviour-points.ts'
import { morePoints } from './behaviour-points-more.ts'

const points = [...firstPoints, ...morePoints]

/** About CORS and POST forms alone. */
const elsewhere: ReadonlySet<number> = new Set([42])

describe('the table of behaviours', () => {
  it('has every point once, except those about other things', () => {
    const expected = Array.from({ length: 46 }, (_, i) => i + 1).filter((number) => !elsewhere.has(number))
    expect(points.map(({ number }) => number)).toEqual(expected)
  })

  it.each(points)('$number: $behaviour', ({ tests }) => {
    const missing = Object.entries(tests).flatMap(([file, titles]) => {
      const known = titlesOf(file)
      return titles.filter((title) => !known.has(title)).map((title) => `${file}: ${title}`)
    })
    expect(missing).toEqual([])
  })

  it('misses a test that is not there', () => {
    expect(titlesOf('operations/put-object').has('answers 404 NoSuchBucket')).toBe(true)
    expect(titlesOf('operations/put-object').has('answers 404 NoSuch')).toBe(false)
    expect(titlesOf('operations/put-object').has('conditions')).toBe(false)
  })
})

/** The titles of `it('…')` and `it.each(…)('…')`, and of nothing that is skipped. */
function titlesOf(file: string): ReadonlySet<string> {
  const path = fileURLToPath(new URL(`../${file}.test.ts`, import.meta.url))
  const source = readFileSync(path, 'utf8')
  const plain = source.matchAll(/\bit\(\s*'([^'\n]+)'/g)
  // The list of an `each` may be long; what follows its end is the title.
  const each = source.matchAll(/\bit\.each\((?:(?!\bit[.(])[\s\S])*?\)\(\s*'([^'\n]+)',/g)
  return new Set([...plain, ...each].map(([, title = '']) => title))
}
