/**
 * The door to a metadata store. Everything above it says what to read or change; an engine (SQLite today) decides how it becomes durable.
 */
import type { Steps } from './steps.ts'
import type { Command, Outcome, TransactionName } from './transactions.ts'

export interface EngineStatus {
  /** `fenced`: a sync failed; every commit is refused until restart. `full`: below the reserve; only commands that free space or settle are taken. */
  readonly state: 'open' | 'full' | 'fenced' | 'closed'
  readonly reason?: string
  readonly committedSeq: number
  readonly durableSeq: number
}

export interface Metadata {
  /**
   * Runs a named transaction and answers when it would survive a power cut.
   * @throws S3Error as the transaction decides, ServiceUnavailable when the engine is full or fenced
   */
  commit<Name extends TransactionName>(command: Command<Name>): Promise<Outcome<Name>>
  /** Runs a query on committed rows, and answers once all that it saw is durable. NOTE: it may be begun anew, so it touches nothing outside. */
  read<T>(query: () => Steps<T>): Promise<T>
  /**
   * For what is asked far more often than it changes: as `read`, but the answer by a name is kept until a commit changes a table that it rests on.
   * It is never staler than `read`'s. Callers share it, and do not change it.
   */
  remembered<T>(query: (name: string) => Steps<T>): (name: string) => Promise<T>
  /** Resolves with the newest durable seq once it is above `seq`; rejects when `signal` aborts. What an engine that follows the journal waits on. */
  waitBeyond(seq: number, signal: AbortSignal): Promise<number>
  status(): EngineStatus
  /** This start's number: one higher at every open, durable before `open` answers. Blob names carry it. */
  readonly boot: number
  close(): Promise<void>
}
