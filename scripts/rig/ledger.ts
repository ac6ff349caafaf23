/**
 * What a region was asked and what it has acknowledged, by key, each with its position in a stream that goes one way only. It lives outside the
 * region, and says what the region must hold when the stream is cut anywhere.
 */
import { createHash } from 'node:crypto'
import type { Random } from '../../test/limits/random.ts'

/** The bytes are a stretch of the pool. */
export interface Content {
  readonly offset: number
  readonly size: number
  readonly etag: string
}

/** Absent: there is no such object. */
export type State = Content | 'absent'

export interface LedgerEvent {
  readonly state: State
  /** The request had not left before this position. */
  readonly sentAt: number
  /** Undefined: refused or never answered, so that nobody knows whether it was carried out. */
  acknowledged: { readonly at: number; readonly requestId: string } | undefined
}

/** One object of an unversioned bucket, or one version. */
export interface Cell {
  readonly bucket: string
  readonly key: string
  readonly versionId: string | undefined
  events: LedgerEvent[]
}

const poolBytes = 8 * 1024 * 1024

export class Ledger {
  readonly #cells = new Map<string, Cell>()
  readonly #pool: Buffer
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
    this.#pool = random.bytes(poolBytes)
  }

  get cells(): readonly Cell[] {
    return [...this.#cells.values()]
  }

  cell(of: { readonly bucket: string; readonly key: string; readonly versionId?: string }): Cell {
    const name = `${of.bucket}/${of.key} ${of.versionId ?? ''}`
    const known = this.#cells.get(name)
    if (known !== undefined) return known
    const made: Cell = { bucket: of.bucket, key: of.key, versionId: of.versionId, events: [] }
    this.#cells.set(name, made)
    return made
  }

  newContent(size: number): Content {
    const offset = this.#random.below(poolBytes - size)
    return { offset, size, etag: md5(this.#pool.subarray(offset, offset + size)).toString('hex') }
  }

  bytesOf({ offset, size }: Pick<Content, 'offset' | 'size'>): Buffer {
    return this.#pool.subarray(offset, offset + size)
  }

  /** What nobody asks about any more. */
  forget(cells: readonly Cell[]): void {
    for (const { bucket, key, versionId } of cells) this.#cells.delete(`${bucket}/${key} ${versionId ?? ''}`)
  }
}

/** What a cell may be when all after `position` never happened: the last that was acknowledged first, then what was under way. */
export function allowedAt(cell: Cell, position: number): readonly State[] {
  let allowed: State[] = ['absent']
  for (const { state, sentAt, acknowledged } of cell.events) {
    if (acknowledged !== undefined && acknowledged.at < position) allowed = [state]
    else if (sentAt <= position) allowed.push(state)
  }
  return allowed
}

/** From here on it is this, and nothing that was under way can come any more. */
export function settle(cell: Cell, state: State): void {
  cell.events = state === 'absent' ? [] : [{ state, sentAt: 0, acknowledged: { at: -1, requestId: '' } }]
}

export function md5(data: Buffer): Buffer {
  return createHash('md5').update(data).digest()
}
