/**
 * The pure half of every listing: ordered rows are folded into a page of contents and common prefixes. The store only scans where it is
 * told to, and jumps over a whole common prefix with one seek.
 *
 *     const page = new ListingPage({ prefix, delimiter, maxEntries, start })
 *     for (let scan = page.nextScan(); scan !== undefined; scan = page.nextScan()) page.accept(yield rowsOf(scan))
 *     return page.result()
 */
import { compareKeys, keyAfter, prefixEnd } from './names.ts'

/**
 * Where rows begin: at the first row whose key is not below `key`, or behind one row (of several with the same key, as versions are).
 * `Position` is what tells rows of one key apart: `{ key }`, or `{ key, versionId }`.
 */
export type ListingStart<Position> = { readonly at: 'key'; readonly key: string } | { readonly at: 'after'; readonly position: Position }

/** What the store is to read: in order, at most `limit` rows, all below `before` (no bound when it is absent). */
export interface ListingScan<Position> {
  readonly from: ListingStart<Position>
  readonly before?: string
  readonly limit: number
}

export interface ListingOptions<Position> {
  readonly prefix?: string | undefined
  /** Any text; an empty one is none. */
  readonly delimiter?: string | undefined
  /** Contents and common prefixes together. */
  readonly maxEntries: number
  readonly start?: ListingStart<Position> | undefined
}

/** Where a truncated page ends, and where the next begins. */
export interface ListingNext<Row> {
  /** For a V1 NextMarker or a NextKeyMarker: the last key, or the last common prefix. */
  readonly lastEntry: { readonly kind: 'row'; readonly row: Row } | { readonly kind: 'prefix'; readonly prefix: string }
  /** For a continuation token over rows with one key each: the next page's `{ at: 'key' }`. */
  readonly nextKey: string
}

export interface ListingResult<Row> {
  readonly contents: readonly Row[]
  readonly commonPrefixes: readonly string[]
  /** Contents and common prefixes together. */
  readonly keyCount: number
  readonly isTruncated: boolean
  /** Present exactly when `isTruncated`. */
  readonly next?: ListingNext<Row>
}

/** Rows in the first scan when many may fall into one common prefix; doubles while they do not. */
const firstBatch = 32
const smallestBatch = 4
/** Rows that may be read for nothing before a seek is cheaper than to read on. */
const rowsPerSeek = 8

export class ListingPage<Position extends { readonly key: string }, Row extends Position = Position> {
  readonly #prefix: string
  readonly #delimiter: string
  readonly #maxEntries: number
  readonly #before: string | undefined
  readonly #contents: Row[] = []
  readonly #commonPrefixes: string[] = []
  #from: ListingStart<Position>
  #last: ListingNext<Row>['lastEntry'] | undefined
  #batch: number
  #limit = 0
  #state: 'scanning' | 'complete' | 'truncated' = 'scanning'

  constructor(options: ListingOptions<Position>) {
    this.#prefix = options.prefix ?? ''
    this.#delimiter = options.delimiter ?? ''
    this.#maxEntries = options.maxEntries
    this.#before = prefixEnd(this.#prefix)
    this.#from = laterStart(options.start, this.#prefix)
    this.#batch = this.#delimiter === '' ? options.maxEntries + 1 : firstBatch
    if (options.maxEntries <= 0) this.#state = 'complete'
  }

  /** What to read next; `undefined` when the page is done. */
  nextScan(): ListingScan<Position> | undefined {
    if (this.#state !== 'scanning') return undefined
    // One row more than there is room for: it says whether the page is truncated.
    this.#limit = Math.min(this.#maxEntries - this.#keyCount() + 1, this.#batch)
    return { from: this.#from, limit: this.#limit, ...(this.#before !== undefined && { before: this.#before }) }
  }

  /** Takes the rows of the scan that was asked for; fewer than its limit mean that there are no more. */
  accept(rows: readonly Row[]): void {
    let used = 0
    for (const row of rows) {
      if (this.#isUnderLastPrefix(row.key)) continue
      if (this.#keyCount() === this.#maxEntries) {
        this.#state = 'truncated'
        return
      }
      used++
      this.#add(row)
    }
    const lastRow = rows.at(-1)
    if (lastRow === undefined || rows.length < this.#limit) {
      this.#state = 'complete'
      return
    }
    this.#advance(lastRow)
    this.#batch =
      used * rowsPerSeek > rows.length
        ? Math.min(this.#batch * 2, this.#maxEntries + 1)
        : Math.max(smallestBatch, Math.floor(this.#batch / 2))
  }

  result(): ListingResult<Row> {
    const entries = { contents: this.#contents, commonPrefixes: this.#commonPrefixes, keyCount: this.#keyCount() }
    const last = this.#last
    if (this.#state !== 'truncated' || last === undefined) return { ...entries, isTruncated: false }
    const nextKey = last.kind === 'row' ? keyAfter(last.row.key) : prefixEnd(last.prefix)
    // Without a key above the prefix nothing can follow it, and the page would not be truncated.
    if (nextKey === undefined) return { ...entries, isTruncated: false }
    return { ...entries, isTruncated: true, next: { lastEntry: last, nextKey } }
  }

  #add(row: Row): void {
    const commonPrefix = commonPrefixOf(row.key, this.#prefix, this.#delimiter)
    if (commonPrefix === undefined) {
      this.#contents.push(row)
      this.#last = { kind: 'row', row }
    } else {
      this.#commonPrefixes.push(commonPrefix)
      this.#last = { kind: 'prefix', prefix: commonPrefix }
    }
  }

  #advance(lastRow: Row): void {
    if (!this.#isUnderLastPrefix(lastRow.key)) {
      this.#from = { at: 'after', position: lastRow }
      return
    }
    const end = prefixEnd(this.#commonPrefixes.at(-1) ?? '')
    if (end === undefined) this.#state = 'complete'
    else this.#from = { at: 'key', key: end }
  }

  #isUnderLastPrefix(key: string): boolean {
    return this.#last?.kind === 'prefix' && key.startsWith(this.#last.prefix)
  }

  #keyCount(): number {
    return this.#contents.length + this.#commonPrefixes.length
  }
}

/** The part of a key up to and with the first delimiter after the prefix; `undefined` when there is none. */
export function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined
  const found = key.indexOf(delimiter, prefix.length)
  return found < 0 ? undefined : key.slice(0, found + delimiter.length)
}

/**
 * The start for a marker, key-marker or start-after that a client gave: behind that key, and behind the whole common prefix when it is one.
 */
export function startAfterMarker(marker: string, prefix: string, delimiter: string): ListingStart<never> {
  const isCommonPrefix = marker.startsWith(prefix) && commonPrefixOf(marker, prefix, delimiter) === marker
  const end = isCommonPrefix ? prefixEnd(marker) : undefined
  return { at: 'key', key: end ?? keyAfter(marker) }
}

/** No row before the prefix is asked for. */
function laterStart<Position extends { readonly key: string }>(
  start: ListingStart<Position> | undefined,
  prefix: string,
): ListingStart<Position> {
  if (start === undefined) return { at: 'key', key: prefix }
  const key = start.at === 'key' ? start.key : start.position.key
  return compareKeys(key, prefix) < 0 ? { at: 'key', key: prefix } : start
}
