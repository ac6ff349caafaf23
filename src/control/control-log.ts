/**
 * This region's copy of the control log: where it stands, who waits for its next row, and who wants to know what a row changed.
 * Whether the region is home or follows is not its concern.
 */
import type { Metadata } from '../metadata/engine.ts'
import {
  type ControlChange,
  ControlHistoryMismatch,
  type ControlRow,
  controlRowsAfter,
  homeRegion,
  lastControlRow,
} from '../metadata/tables/control.ts'
import { S3Error } from '../model/errors.ts'
import type { PeerLog } from '../peers/log.ts'

/** One for each region that follows, each write that waits for its row, and room. */
const waitersMax = 10_000

export interface ControlLogParts {
  readonly metadata: Metadata
  readonly self: string
  readonly log: PeerLog
}

interface Waiter {
  readonly position: number
  readonly resolve: () => void
}

export class ControlLog {
  readonly self: string
  readonly #metadata: Metadata
  readonly #log: PeerLog
  readonly #waiters = new Set<Waiter>()
  readonly #listeners = new Set<(change: ControlChange) => void>()
  #position: number
  #hash: string
  #epoch: number
  #home: string | undefined
  #stopped: string | undefined

  private constructor(parts: ControlLogParts, at: { readonly last: ControlRow | undefined; readonly home: string | undefined }) {
    this.self = parts.self
    this.#metadata = parts.metadata
    this.#log = parts.log
    this.#position = at.last?.position ?? 0
    this.#hash = at.last?.hash ?? ''
    this.#epoch = at.last?.epoch ?? 0
    this.#home = at.home
  }

  static async open(parts: ControlLogParts): Promise<ControlLog> {
    const at = await parts.metadata.read(function* () {
      return { last: yield* lastControlRow(), home: yield* homeRegion() }
    })
    return new ControlLog(parts, at)
  }

  /** Of the newest row; 0 before the first. */
  get position(): number {
    return this.#position
  }

  /** Of the newest row; '' before the first. */
  get hash(): string {
    return this.#hash
  }

  /** Of the newest row: which home wrote it, counted; 0 before the first. */
  get epoch(): number {
    return this.#epoch
  }

  /** Who keeps the log: as the newest `setHome` row says, and before the first row as was assumed. */
  get home(): string | undefined {
    return this.#home
  }

  /** Why no row is applied any more, in words; undefined while all is well. */
  get stopped(): string | undefined {
    return this.#stopped
  }

  /** Before the first row: whom to ask for it. Later the log itself knows better. */
  assumeHome(region: string): void {
    if (this.#position === 0) this.#home = region
  }

  /** Two histories never mix: from here on nothing is applied or written, until an operator has looked and restarted the region. */
  stop(reason: string): void {
    if (this.#stopped !== undefined) return
    this.#stopped = reason
    this.#log.error({ position: this.#position, home: this.#home, reason }, 'control log stopped')
  }

  /** @throws S3Error ServiceUnavailable when it has stopped */
  checkRunning(): void {
    if (this.#stopped === undefined) return
    throw new S3Error('ServiceUnavailable', { message: `The control log of region ${this.self} has stopped: ${this.#stopped}` })
  }

  /** Home's write. @throws S3Error as the change is refused */
  async append(request: { readonly requestId: string; readonly change: ControlChange }): Promise<ControlRow> {
    this.checkRunning()
    const row = await this.#metadata.commit({ tx: 'appendControl', selfRegion: this.self, ...request })
    this.#advance(row)
    return row
  }

  /** Takes home's rows, which are in order. Those that are here already are passed over. A row that does not fit stops the log. */
  async apply(rows: readonly ControlRow[]): Promise<void> {
    this.checkRunning()
    // All at once, so that they share a sync: they are committed in this order.
    const settled = await Promise.allSettled(
      rows.map(async (row) => {
        await this.#metadata.commit({ tx: 'applyControl', selfRegion: this.self, row })
        this.#advance(row)
      }),
    )
    // Only the first failure says why: the rows behind it had nothing to stand on.
    const failed = settled.find((outcome) => outcome.status === 'rejected')
    if (failed === undefined) return
    if (!(failed.reason instanceof ControlHistoryMismatch)) throw failed.reason
    this.stop(failed.reason.message)
    this.checkRunning()
  }

  rowsAfter(position: number, limit: number): Promise<readonly ControlRow[]> {
    return this.#metadata.read(() => controlRowsAfter(position, limit))
  }

  /** Resolves when there is a row above `position`; rejects when `signal` aborts. @throws S3Error SlowDown when too many wait */
  waitBeyond(position: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.#position > position) return Promise.resolve()
    if (this.#waiters.size >= waitersMax) return Promise.reject(new S3Error('SlowDown'))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter)
        reject(signal.reason)
      }
      const waiter: Waiter = {
        position,
        resolve: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  /** Told of each change once it is durable here. @returns how to end it */
  onChange(listener: (change: ControlChange) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #advance(row: ControlRow): void {
    if (row.position > this.#position) {
      this.#position = row.position
      this.#hash = row.hash
      this.#epoch = row.epoch
      if (row.change.kind === 'setHome') this.#home = row.change.region
    }
    for (const waiter of [...this.#waiters]) {
      if (waiter.position >= this.#position) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
    for (const listener of [...this.#listeners]) listener(row.change)
  }
}
