/**
 * This region's copy of the control log: where it stands, who waits for its next row, and who wants to know what a row changed.
 * Whether the region is home or follows is not its concern.
 */
import type { Metadata } from '../metadata/engine.ts'
import {
  type ControlChange,
  ControlHistoryMismatch,
  type ControlRow,
  ControlRowOutdated,
  controlRowsAfter,
  lastControlRow,
  NotControlHome,
} from '../metadata/tables/control.ts'
import { controlRowHash, homeRegion } from '../metadata/tables/control-epochs.ts'
import type { ControlSnapshot } from '../metadata/tables/control-snapshot.ts'
import { S3Error } from '../model/errors.ts'
import type { PeerLog } from '../peers/log.ts'

/** One for each region that follows, each write that waits for its row, and room. */
const waitersMax = 10_000

export interface ControlLogParts {
  readonly metadata: Metadata
  readonly self: string
  readonly log: PeerLog
}

/** What another region says of a home that came after the one of our own rows. */
export interface HomeClaim {
  readonly home: string
  readonly epoch: number
  /** Of the newest row of the region that says it. */
  readonly position: number
  /** The region that says it. */
  readonly source: string
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
  #claim: HomeClaim | undefined
  #turn = new AbortController()
  /** While it is there, home's writes wait. */
  #held: Promise<void> | undefined

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

  /** Who keeps the log: as the newest `setHome` row says, or was heard of one that is not here yet; before the first row as was assumed. */
  get home(): string | undefined {
    return this.#claim?.home ?? this.#home
  }

  /** Whether this region may write: it keeps the log, and has heard of nobody who does so after it. */
  get isHome(): boolean {
    return this.#stopped === undefined && this.#claim === undefined && this.#home === this.self
  }

  /** Of the newest home that was heard of, also when its rows are not here yet. */
  get knownEpoch(): number {
    return Math.max(this.#epoch, this.#claim?.epoch ?? 0)
  }

  /** Whom to ask for rows; undefined at home, and before anybody has said who is. */
  get source(): string | undefined {
    // One who is home by a row that is not here yet: whoever told has it.
    if (this.#claim !== undefined) return this.#claim.home === this.self ? this.#claim.source : this.#claim.home
    return this.#home === this.self ? undefined : this.#home
  }

  /** Aborted when `source` becomes another, or the log stops or goes on: whoever waits for something of before has no reason to any more. */
  get turn(): AbortSignal {
    return this.#turn.signal
  }

  /** Why no row is applied any more, in words; undefined while all is well. */
  get stopped(): string | undefined {
    return this.#stopped
  }

  /** Before the first row: whom to ask for it. Later the log itself knows better. */
  assumeHome(region: string): void {
    if (this.#position === 0) this.#home = region
  }

  /** Another region has become home: from now on it is followed, and nothing is written here. What is older than what is known is passed over. */
  believe(claim: HomeClaim): void {
    if (claim.epoch <= this.knownEpoch) return
    if (claim.home !== this.#home)
      this.#log.warn({ ...claim, wasHome: this.#home, ownPosition: this.#position }, 'control log has another home')
    this.#claim = claim
    this.#turned()
  }

  /** Two histories never mix: from here on nothing is applied or written, until an operator has looked and restarted the region, or taken it back. */
  stop(reason: string): void {
    if (this.#stopped !== undefined) return
    this.#stopped = reason
    this.#log.error({ position: this.#position, home: this.#home, reason }, 'control log stopped')
    this.#turned()
  }

  /** @throws S3Error ServiceUnavailable when it has stopped */
  checkRunning(): void {
    if (this.#stopped === undefined) return
    throw new S3Error('ServiceUnavailable', { message: `The control log of region ${this.self} has stopped: ${this.#stopped}` })
  }

  /** Home's write. @throws NotControlHome; S3Error as the change is refused */
  async append(request: { readonly requestId: string; readonly change: ControlChange; readonly since?: number }): Promise<ControlRow> {
    while (this.#held !== undefined) await this.#held
    this.checkRunning()
    if (!this.isHome) throw new NotControlHome()
    const row = await this.#metadata.commit({ tx: 'appendControl', selfRegion: this.self, ...request })
    this.#advance(row)
    return row
  }

  /** Lets writes wait until it is released. One at a time. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    return () => {
      this.#held = undefined
      resolve()
    }
  }

  /** Home's last write: the other region is home from it on. @throws NotControlHome; S3Error OperationAborted when there are rows beyond `position` */
  async handOver(to: { readonly region: string; readonly position: number }): Promise<ControlRow> {
    this.checkRunning()
    if (!this.isHome) throw new NotControlHome()
    const row = await this.#metadata.commit({ tx: 'handOverControl', selfRegion: this.self, ...to })
    this.#advance(row)
    return row
  }

  /** Makes this region home on the rows that it has, whatever stopped it before. @throws S3Error OperationAborted */
  async takeOver(epoch: number): Promise<ControlRow> {
    const row = await this.#metadata.commit({ tx: 'takeOverControl', selfRegion: this.self, epoch })
    this.#stopped = undefined
    this.#claim = undefined
    this.#advance(row)
    this.#turned()
    return row
  }

  /** Puts another region's whole state in the place of this one's. One that is older than what stands is passed over. */
  async replace(snapshot: Pick<ControlSnapshot, 'rows' | 'epochs' | 'tables'>): Promise<void> {
    try {
      await this.#metadata.commit({ tx: 'takeControlSnapshot', selfRegion: this.self, snapshot })
    } catch (error) {
      if (error instanceof ControlRowOutdated) return
      if (error instanceof ControlHistoryMismatch) this.stop(error.message)
      throw error
    }
    this.#moveTo(snapshot)
  }

  /**
   * Gives up this region's own history, which has parted from home's, for home's state, and follows again.
   * @throws ControlHistoryMismatch (a bucket that home has not holds objects) | ControlRowOutdated (home is of no later epoch): nothing has changed
   */
  async rejoin(snapshot: Pick<ControlSnapshot, 'rows' | 'epochs' | 'tables'>): Promise<void> {
    await this.#metadata.commit({ tx: 'takeControlSnapshot', selfRegion: this.self, snapshot })
    this.#stopped = undefined
    this.#moveTo(snapshot)
    this.#turned()
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
    // What an old home still says means nothing once there is another.
    if (failed === undefined || failed.reason instanceof ControlRowOutdated) return
    if (!(failed.reason instanceof ControlHistoryMismatch)) throw failed.reason
    this.stop(failed.reason.message)
    this.checkRunning()
  }

  /** Of the row at a position; undefined when it is not here, or not kept any more. */
  hashAt(position: number): Promise<string | undefined> {
    return this.#metadata.read(() => controlRowHash(position))
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
    if (row.position > this.#position) this.#move(row, row.change.kind === 'setHome' ? row.change.region : this.#home)
    this.#tell(row.change)
  }

  #moveTo({ rows, epochs }: Pick<ControlSnapshot, 'rows' | 'epochs'>): void {
    const last = rows.at(-1)
    if (last === undefined) return
    this.#move(last, epochs.at(-1)?.region)
    for (const { change } of rows) this.#tell(change)
  }

  #move(row: ControlRow, home: string | undefined): void {
    const source = this.source
    this.#position = row.position
    this.#hash = row.hash
    this.#epoch = row.epoch
    this.#home = home
    const claim = this.#claim
    // Who has lost rows of its own time as home is home again when it has them all.
    if (claim !== undefined && row.epoch >= claim.epoch && (claim.home !== this.self || row.position >= claim.position))
      this.#claim = undefined
    if (this.source !== source) this.#turned()
    for (const waiter of [...this.#waiters]) {
      if (waiter.position >= this.#position) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  #tell(change: ControlChange): void {
    for (const listener of [...this.#listeners]) listener(change)
  }

  #turned(): void {
    const turned = this.#turn
    this.#turn = new AbortController()
    turned.abort(new Error('the control log has another home'))
  }
}
