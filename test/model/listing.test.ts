import { describe, expect, it } from 'vitest'
import {
  commonPrefixOf,
  type ListingOptions,
  ListingPage,
  type ListingResult,
  type ListingScan,
  startAfterMarker,
} from '../../src/model/listing.ts'
import { decodeToken, encodeToken, encodeUrlForm, parseEncodingType, parseMaxEntries } from '../../src/model/listing-parameters.ts'
import { compareKeys } from '../../src/model/names.ts'
import { verdict } from './refused.ts'

interface VersionRow {
  readonly key: string
  readonly id: number
}

/** A store of ordered rows that answers scans as an index would, and counts them. */
class Store {
  readonly rows: readonly VersionRow[]
  scans = 0
  rowsRead = 0

  constructor(rows: readonly VersionRow[]) {
    this.rows = [...rows].sort((a, b) => compareKeys(a.key, b.key) || a.id - b.id)
  }

  read({ from, before, limit }: ListingScan<VersionRow>): VersionRow[] {
    expect(limit).toBeGreaterThan(0)
    this.scans++
    const found = this.rows.filter((row) => {
      if (before !== undefined && compareKeys(row.key, before) >= 0) return false
      if (from.at === 'key') return compareKeys(row.key, from.key) >= 0
      return (compareKeys(row.key, from.position.key) || row.id - from.position.id) > 0
    })
    const rows = found.slice(0, limit)
    this.rowsRead += rows.length
    return rows
  }

  list(options: ListingOptions<VersionRow>): ListingResult<VersionRow> {
    const page = new ListingPage<VersionRow>(options)
    for (let scan = page.nextScan(); scan !== undefined; scan = page.nextScan()) page.accept(this.read(scan))
    return page.result()
  }
}

const store = (...keys: string[]): Store => new Store(keys.map((key) => ({ key, id: 0 })))
const keysOf = (result: ListingResult<VersionRow>): string[] => result.contents.map(({ key }) => key)

describe('one page', () => {
  it('folds by the delimiter, after the prefix', () => {
    const result = store('a', 'b/1', 'b/2', 'b/c/3', 'c').list({ delimiter: '/', maxEntries: 1000 })
    expect([keysOf(result), result.commonPrefixes, result.keyCount, result.isTruncated]).toEqual([['a', 'c'], ['b/'], 3, false])
    const below = store('a', 'b/1', 'b/2', 'b/c/3', 'c').list({ prefix: 'b/', delimiter: '/', maxEntries: 1000 })
    expect([keysOf(below), below.commonPrefixes]).toEqual([['b/1', 'b/2'], ['b/c/']])
  })

  it('takes any text as delimiter, and an empty one as none', () => {
    expect(store('axxb', 'axxc', 'd').list({ delimiter: 'xx', maxEntries: 9 }).commonPrefixes).toEqual(['axx'])
    expect(keysOf(store('a/b', 'a/c').list({ delimiter: '', maxEntries: 9 }))).toEqual(['a/b', 'a/c'])
  })

  it('keeps a key that is the prefix itself', () => {
    expect(keysOf(store('b/', 'b/1').list({ prefix: 'b/', delimiter: '/', maxEntries: 9 }))).toEqual(['b/', 'b/1'])
  })

  it('is empty and whole for max-keys 0', () => {
    const source = store('a')
    expect(source.list({ maxEntries: 0 })).toEqual({ contents: [], commonPrefixes: [], keyCount: 0, isTruncated: false })
    expect(source.scans).toBe(0)
  })

  it('is not truncated when exactly all fits, whatever comes last', () => {
    expect(store('a', 'b').list({ maxEntries: 2 }).isTruncated).toBe(false)
    expect(store('a', 'b/1', 'b/2').list({ delimiter: '/', maxEntries: 2 }).isTruncated).toBe(false)
  })

  it('counts a common prefix once, and is truncated behind one', () => {
    const result = store('a', 'b/1', 'b/2', 'c').list({ delimiter: '/', maxEntries: 2 })
    expect([result.keyCount, result.isTruncated, result.next]).toEqual([
      2,
      true,
      { lastEntry: { kind: 'prefix', prefix: 'b/' }, nextKey: 'b0' },
    ])
  })

  it('jumps over a common prefix of many keys instead of reading them', () => {
    const keys = ['a', 'b', 'c', 'd'].flatMap((top) => Array.from({ length: 5000 }, (_, i) => ({ key: `${top}/${i}`, id: 0 })))
    const source = new Store(keys)
    expect(source.list({ delimiter: '/', maxEntries: 1000 }).commonPrefixes).toEqual(['a/', 'b/', 'c/', 'd/'])
    expect(source.rowsRead).toBeLessThan(100)
  })

  it('reads a flat bucket in one scan, and one with a delimiter but no folders in few', () => {
    const keys = Array.from({ length: 3000 }, (_, i) => ({ key: `k${i}`, id: 0 }))
    const flat = new Store(keys)
    flat.list({ maxEntries: 1000 })
    expect([flat.scans, flat.rowsRead]).toEqual([1, 1001])
    const folded = new Store(keys)
    expect(folded.list({ delimiter: '/', maxEntries: 1000 }).keyCount).toBe(1000)
    expect(folded.scans).toBeLessThan(8)
  })

  it('reads nothing outside the prefix', () => {
    const source = store('a', 'b/1', 'c')
    source.list({ prefix: 'b/', maxEntries: 9 })
    expect(source.rowsRead).toBe(1)
  })
})

describe('where a page starts', () => {
  it('is behind a marker, also one that is no key', () => {
    const source = store('a', 'b', 'c')
    expect(keysOf(source.list({ start: startAfterMarker('b', '', ''), maxEntries: 9 }))).toEqual(['c'])
    expect(keysOf(source.list({ start: startAfterMarker('aa', '', ''), maxEntries: 9 }))).toEqual(['b', 'c'])
  })

  it('is behind a whole common prefix when the marker is one', () => {
    const source = store('a/1', 'a/2', 'b')
    expect(source.list({ delimiter: '/', start: startAfterMarker('a/', '', '/'), maxEntries: 9 }).commonPrefixes).toEqual([])
    expect(source.list({ delimiter: '/', start: startAfterMarker('a/1', '', '/'), maxEntries: 9 }).commonPrefixes).toEqual(['a/'])
    expect(keysOf(source.list({ start: startAfterMarker('a/', '', ''), maxEntries: 9 }))).toEqual(['a/1', 'a/2', 'b'])
  })

  it('is never before the prefix, and may be behind all', () => {
    const source = store('a', 'aa', 'b', 'b/1', 'c')
    expect(keysOf(source.list({ prefix: 'b/', start: startAfterMarker('a', 'b/', ''), maxEntries: 9 }))).toEqual(['b/1'])
    expect(source.list({ prefix: 'b/', start: startAfterMarker('z', 'b/', ''), maxEntries: 9 }).keyCount).toBe(0)
  })

  it('may be between two versions of a key', () => {
    const rows = [1, 2, 3].map((id) => ({ key: 'a', id }))
    const first = new Store(rows).list({ maxEntries: 2 })
    expect(first.next?.lastEntry).toEqual({ kind: 'row', row: { key: 'a', id: 2 } })
    const second = new Store(rows).list({ maxEntries: 2, start: { at: 'after', position: { key: 'a', id: 2 } } })
    expect([second.contents, second.isTruncated]).toEqual([[{ key: 'a', id: 3 }], false])
  })
})

/** Keys that meet every edge: nested, empty segments, a prefix at the end of Unicode, astral and high BMP characters. */
const awkward = [
  'a',
  'a/',
  'a//',
  'a//b',
  'a/b',
  'a/b/c',
  'a0',
  'b',
  'b/\u{10ffff}',
  '/',
  '//',
  '/x',
  'é/1',
  'e\u0301/1',
  '\uffff/1',
  '😀/1',
  '😀',
  '\u{10ffff}',
  '\u{10ffff}/1',
  '\u{10ffff}\u{10ffff}',
  'z/\u0001',
  '\ud7ff',
  '\ud7ff/2',
  '\ue000',
]

describe('paging to the end', () => {
  const cases = ['', '/', '//', 'b', '\u{10ffff}'].flatMap((delimiter) =>
    ['', 'a', 'a/', '\u{10ffff}', '\ud7ff', 'none'].flatMap((prefix) =>
      [1, 2, 3, 7].map((maxEntries) => ({ delimiter, prefix, maxEntries })),
    ),
  )

  function expected(prefix: string, delimiter: string): string[] {
    const entries = awkward.filter((key) => key.startsWith(prefix)).map((key) => commonPrefixOf(key, prefix, delimiter) ?? key)
    return [...new Set(entries)].sort(compareKeys)
  }

  it.each(cases)('by token finds every entry once: $delimiter $prefix $maxEntries', ({ delimiter, prefix, maxEntries }) => {
    const source = store(...awkward)
    const seen: string[] = []
    let start: ListingOptions<VersionRow>['start']
    for (let pages = 0; pages < 100; pages++) {
      const result = source.list({ prefix, delimiter, maxEntries, start })
      expect(result.keyCount).toBeLessThanOrEqual(maxEntries)
      seen.push(...[...keysOf(result), ...result.commonPrefixes].sort(compareKeys))
      if (result.next === undefined) break
      start = { at: 'key', key: decodeToken(encodeToken(result.next.nextKey)) }
    }
    expect(seen).toEqual(expected(prefix, delimiter))
  })

  it.each(cases)('by marker finds every entry once: $delimiter $prefix $maxEntries', ({ delimiter, prefix, maxEntries }) => {
    const source = store(...awkward)
    const seen: string[] = []
    let start: ListingOptions<VersionRow>['start']
    for (let pages = 0; pages < 100; pages++) {
      const result = source.list({ prefix, delimiter, maxEntries, start })
      seen.push(...[...keysOf(result), ...result.commonPrefixes].sort(compareKeys))
      if (result.next === undefined) break
      const { lastEntry } = result.next
      start = startAfterMarker(lastEntry.kind === 'row' ? lastEntry.row.key : lastEntry.prefix, prefix, delimiter)
    }
    expect(seen).toEqual(expected(prefix, delimiter))
  })
})

describe('max-keys', () => {
  it.each([
    [undefined, 1000],
    ['', 1000],
    ['0', 0],
    ['7', 7],
    ['1000', 1000],
    ['1001', 1000],
    ['2147483647', 1000],
  ])('serves %s as %i', (text, number) => expect(parseMaxEntries(text)).toBe(number))

  it.each(['-1', 'ten', '1.5', '1e3', ' 1', '2147483648', '0x10', '9'.repeat(400)])('refuses %s', (text) =>
    expect(verdict(() => parseMaxEntries(text))).toBe('InvalidArgument'),
  )
})

describe('encoding-type', () => {
  it('is url, or not there', () => {
    expect(parseEncodingType('url')).toBe('url')
    expect(parseEncodingType(undefined)).toBeUndefined()
    for (const other of ['', 'URL', 'base64']) expect(verdict(() => parseEncodingType(other))).toBe('InvalidArgument')
  })

  it.each([
    ['a/b c+d', 'a/b+c%2Bd'],
    ["~!'()*-._", '%7E%21%27%28%29*-._'],
    ['é😀', '%C3%A9%F0%9F%98%80'],
    ['100%', '100%25'],
    ['\u0001\n', '%01%0A'],
  ])('writes %j as %s', (text, encoded) => expect(encodeUrlForm(text)).toBe(encoded))
})

describe('continuation tokens', () => {
  it.each(['', 'a', 'é/😀\u0001', '\u{10ffff}'])('bring back %j', (position) => expect(decodeToken(encodeToken(position))).toBe(position))

  it.each([
    '',
    'x',
    '1',
    'abc',
    'a/key',
    `${encodeToken('abc')}A`,
    encodeToken('abc').slice(0, -1),
    encodeToken('abc').replace('1', '2'),
    `${encodeToken('abc')}=`,
  ])('refuse %j, which is not as it was given out', (token) => expect(verdict(() => decodeToken(token))).toBe('InvalidArgument'))

  it('refuse any changed character', () => {
    const token = encodeToken('some/key')
    for (let i = 0; i < token.length; i++) {
      const changed = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1)
      expect(verdict(() => decodeToken(changed))).toBe('InvalidArgument')
    }
  })
})
