/** What must be known of the control log even when its rows are gone: which region was home from which row on, and where the kept rows begin. */
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { json, number, text } from './columns.ts'
import { factOf } from './facts.ts'

/** From the row at `position` on, which says so, `region` keeps the log. */
export interface ControlEpoch {
  readonly epoch: number
  readonly position: number
  readonly region: string
}

/** The row before the oldest that is kept. */
export interface ControlBase {
  readonly position: number
  readonly hash: string
}

export const genesisHash = '0'.repeat(64)

const epochsFact = 'control epochs'
const baseFact = 'control base'
/** Promotions that are remembered. A region that comes back from before the oldest is taken for one of another history. */
const epochsMax = 1_000

/** Oldest first. */
export function* controlEpochs(): Steps<readonly ControlEpoch[]> {
  const kept = yield* factOf(epochsFact)
  if (kept !== undefined) return JSON.parse(kept) as ControlEpoch[] // written by this file only
  // A folder of a version that kept every row and no list.
  const rows = yield statement(
    `SELECT position, epoch, change, seq FROM control_log WHERE change LIKE '{"kind":"setHome"%' ORDER BY position`,
  )
  return rows.map((row) => ({
    epoch: number(row.epoch),
    position: number(row.position),
    region: json<{ readonly region: string }>(row.change).region,
  }))
}

/** The region that keeps the log: as the newest `setHome` row says. */
export function* homeRegion(): Steps<string | undefined> {
  return (yield* controlEpochs()).at(-1)?.region
}

/** Part of applying a `setHome` row. NOTE: before the row is there. */
export function* addControlEpoch(epoch: ControlEpoch, context: TransactionContext): Steps<void> {
  yield* writeControlEpochs([...(yield* controlEpochs()), epoch], context)
}

export function* writeControlEpochs(epochs: readonly ControlEpoch[], context: TransactionContext): Steps<void> {
  yield* writeFact(epochsFact, epochs.slice(-epochsMax), context)
}

export function* controlBase(): Steps<ControlBase> {
  const kept = yield* factOf(baseFact)
  return kept === undefined ? { position: 0, hash: genesisHash } : (JSON.parse(kept) as ControlBase) // written by this file only
}

export function* writeControlBase(base: ControlBase, context: TransactionContext): Steps<void> {
  yield* writeFact(baseFact, base, context)
}

/**
 * Whether a row with that position and epoch can be one of this history, when the row itself is not kept any more. One epoch has one writer,
 * so that it is, if the epoch was still that one at the position.
 */
export function isOfEpochs(row: { readonly position: number; readonly epoch: number }, epochs: readonly ControlEpoch[]): boolean {
  return epochs.findLast((epoch) => epoch.position <= row.position)?.epoch === row.epoch
}

function* writeFact(name: string, value: unknown, { seq }: TransactionContext): Steps<void> {
  yield statement('INSERT OR REPLACE INTO facts (name, value, seq) VALUES (?1, ?2, ?3)', name, JSON.stringify(value), seq)
}

/** The kept row at a position. */
export function* controlRowHash(position: number): Steps<string | undefined> {
  const base = yield* controlBase()
  if (base.position === position) return base.hash
  const [row] = yield statement('SELECT hash, seq FROM control_log WHERE position = ?1', position)
  return row === undefined ? undefined : text(row.hash)
}
