/**
 * How far the journal is committed and how far it is durable; makes the second follow the first by syncing the `-wal`.
 * A sync covers what was committed before it began; meanwhile further batches may commit, and wait for the next one.
 */
import { fstatSync } from 'node:fs'
import { unavailable } from './faults.ts'
import type { SqliteIo } from './io.ts'

interface Waiter {
  readonly seq: number
  resolve(): void
  reject(error: Error): void
}

export interface WalSyncOptions {
  readonly fd: number
  readonly fdatasync: SqliteIo['fdatasync']
  /** All rows of the file at open, already durable. */
  readonly seq: number
  /** Called when a sync has ended well, before the next begins: the moment to commit what has gathered, so that the next sync covers it. */
  onSynced(): void
  onFailed(error: Error): void
}

export class WalSync {
  readonly #options: WalSyncOptions
  #committed: number
  #durable: number
  #isRunning = false
  #failure: Error | undefined
  #waiters: Waiter[] = []
  readonly #idle: (() => void)[] = []

  constructor(options: WalSyncOptions) {
    this.#options = options
    this.#committed = options.seq
    this.#durable = options.seq
  }

  get committed(): number {
    return this.#committed
  }

  get durable(): number {
    return this.#durable
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** A batch is committed up to `seq`. */
  committedTo(seq: number): void {
    this.#committed = seq
    this.#start()
  }

  /** Calls exactly one of the two: at once when `seq` is durable already or can no longer become so. */
  whenDurable(seq: number, resolve: () => void, reject: (error: Error) => void): void {
    if (seq <= this.#durable) resolve()
    else if (this.#failure !== undefined) reject(this.#failure)
    else this.#waiters.push({ seq, resolve, reject })
  }

  /** Nothing more becomes durable. Whoever waits is told why. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) {
      if (waiter.seq <= this.#durable) waiter.resolve()
      else waiter.reject(error)
    }
  }

  /** Resolves when no sync runs, so that the file can be closed. */
  idle(): Promise<void> {
    return this.#isRunning ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve()
  }

  #start(): void {
    if (this.#isRunning || this.#failure !== undefined || this.#committed <= this.#durable) return
    this.#isRunning = true
    const target = this.#committed
    this.#options.fdatasync(this.#options.fd, (error) => this.#ended(target, error ?? this.#unlinked()))
  }

  #ended(target: number, error: Error | undefined): void {
    this.#isRunning = false
    if (error !== undefined) this.#options.onFailed(error)
    if (this.#failure === undefined) this.#succeeded(target)
    if (!this.#isRunning) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #succeeded(target: number): void {
    this.#durable = target
    this.#options.onSynced()
    this.#start()
    const ready = this.#waiters.filter(({ seq }) => seq <= this.#durable)
    this.#waiters = this.#waiters.filter(({ seq }) => seq > this.#durable)
    for (const waiter of ready) waiter.resolve()
  }

  /** A `-wal` that somebody removed syncs without complaint, and is gone at the next start. */
  #unlinked(): Error | undefined {
    return fstatSync(this.#options.fd).nlink === 0
      ? unavailable('The -wal file of the metadata store was removed while in use.')
      : undefined
  }
}
