/**
 * What must be the same in every region, bucket names and identities, and the one ordered log through which it changes.
 * Home appends; every other region applies the same rows in the same order. A row's hash covers the row before it, so two histories never mix.
 */
import { createHash } from 'node:crypto'
import type { BucketName, BucketSettings } from '../../model/bucket.ts'
import { S3Error } from '../../model/errors.ts'
import type { IdentityChange } from '../../model/identity-changes.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../steps.ts'
import { dropBucket, insertNewBucket } from './buckets.ts'
import { json, number, text } from './columns.ts'
import { addControlEpoch, controlBase, controlRowHash, genesisHash, homeRegion } from './control-epochs.ts'
import { applyIdentityChange } from './identity-changes.ts'
import { checkIdentityChange } from './identity-checks.ts'
import { isOldRoleChange, type OldRoleChange, todaysChange } from './old-role-changes.ts'

/** One change of the control plane, whole: applying it needs nothing but the rows that stand. */
export type ControlChange =
  /** From this row on, that region keeps the log. */
  | { readonly kind: 'setHome'; readonly region: string }
  | { readonly kind: 'createBucket'; readonly bucket: BucketName; readonly settings: BucketSettings }
  | { readonly kind: 'deleteBucket'; readonly name: string; readonly id: string }
  | IdentityChange
  | OldRoleChange

export interface ControlRow {
  readonly position: number
  readonly epoch: number
  readonly timeMs: number
  /** Made by whoever asked: the same request forwarded twice is one row. */
  readonly requestId: string
  readonly change: ControlChange
  readonly previousHash: string
  readonly hash: string
}

/** A follower's rows and home's do not fit: nothing more may be applied. */
export class ControlHistoryMismatch extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ControlHistoryMismatch'
  }
}

/** The row is of an epoch that has ended: it comes from a home that is one no more, and means nothing. */
export class ControlRowOutdated extends Error {
  constructor(row: ControlRow) {
    super(`row ${row.position} of the control log is of epoch ${row.epoch}, which has ended`)
    this.name = 'ControlRowOutdated'
  }
}

/** This region does not keep the log: nothing was written. */
export class NotControlHome extends Error {
  constructor() {
    super('this region does not keep the control log')
    this.name = 'NotControlHome'
  }
}

const rowColumns = 'position, epoch, time_ms, request_id, change, previous_hash, hash'

/** The newest row, or undefined before the first. */
export function* lastControlRow(): Steps<ControlRow | undefined> {
  const [row] = yield statement(`SELECT ${rowColumns}, seq FROM control_log ORDER BY position DESC LIMIT 1`)
  return row === undefined ? undefined : toControlRow(row)
}

/** The newest first. */
export function* newestControlRows(limit: number): Steps<readonly ControlRow[]> {
  const rows = yield statement(`SELECT ${rowColumns}, seq FROM control_log ORDER BY position DESC LIMIT ?1`, limit)
  return rows.map(toControlRow)
}

export function* controlRowsAfter(position: number, limit: number): Steps<readonly ControlRow[]> {
  const rows = yield statement(`SELECT ${rowColumns}, seq FROM control_log WHERE position > ?1 ORDER BY position LIMIT ?2`, position, limit)
  return rows.map(toControlRow)
}

/**
 * Home's write: judges the change by the rows that stand, appends it and applies it here.
 * @param input.since  the position of the asker when it first asked: its request can have no row at or below
 * @throws NotControlHome; S3Error as the change is refused (BucketAlreadyExists, BucketAlreadyOwnedByYou, NoSuchBucket, and as `checkIdentityChange` does)
 */
function* appendControl(
  input: { readonly selfRegion: string; readonly requestId: string; readonly change: ControlChange; readonly since?: number },
  context: TransactionContext,
): Steps<ControlRow> {
  const [answered] = yield statement(`SELECT ${rowColumns}, seq FROM control_log WHERE request_id = ?1`, input.requestId)
  if (answered !== undefined) return toControlRow(answered)
  const last = yield* lastControlRow()
  const home = yield* homeRegion()
  if (home !== undefined && home !== input.selfRegion) throw new NotControlHome()
  if (input.since !== undefined && input.since < (yield* controlBase()).position) {
    // Its row may be among those that are not kept: to write it could be to write it twice.
    throw new S3Error('ServiceUnavailable', {
      message: 'The region that asks is too far behind with the control log. Try again when it has caught up.',
    })
  }
  yield* checkChange(input.change)
  const row = signedRow({
    position: (last?.position ?? 0) + 1,
    epoch: last?.epoch ?? 1,
    timeMs: context.nowMs,
    requestId: input.requestId,
    change: input.change,
    previousHash: last?.hash ?? genesisHash,
  })
  yield* insertAndApply(row, input.selfRegion, context)
  return row
}

/** A follower's write: takes home's next row. A row that is here already is passed over. @throws ControlHistoryMismatch | ControlRowOutdated */
function* applyControl(
  input: { readonly selfRegion: string; readonly row: ControlRow },
  context: TransactionContext,
): Steps<{ readonly applied: boolean }> {
  const { row } = input
  const last = yield* lastControlRow()
  const position = last?.position ?? 0
  if (row.position <= position) {
    const standing = yield* controlRowHash(row.position)
    // One that is not kept was compared when it came.
    if (standing === undefined || standing === row.hash) return { applied: false }
    if (last !== undefined && row.epoch < last.epoch) throw new ControlRowOutdated(row)
    throw new ControlHistoryMismatch(`row ${row.position} of the control log differs from home's`)
  }
  if (last !== undefined && row.epoch < last.epoch) throw new ControlRowOutdated(row)
  if (row.position !== position + 1) throw new ControlHistoryMismatch(`row ${row.position} of the control log came after row ${position}`)
  if (row.previousHash !== (last?.hash ?? genesisHash) || row.hash !== hashOf(row)) {
    throw new ControlHistoryMismatch(`row ${row.position} of the control log does not fit the row before it`)
  }
  yield* insertAndApply(row, input.selfRegion, context)
  return { applied: true }
}

export const controlTransactions = { appendControl, applyControl } as const

export function* insertAndApply(row: ControlRow, selfRegion: string, context: TransactionContext): Steps<void> {
  if (row.change.kind === 'setHome') {
    yield* addControlEpoch({ epoch: row.epoch, position: row.position, region: row.change.region }, context)
  }
  yield* insertRow(row, context)
  yield* applyChange(row.change, selfRegion, context)
}

/** The row alone, without what it changes. */
export function* insertRow(row: ControlRow, { seq }: TransactionContext): Steps<void> {
  yield statement(
    `INSERT INTO control_log (${rowColumns}, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
    row.position,
    row.epoch,
    row.timeMs,
    row.requestId,
    JSON.stringify(row.change),
    row.previousHash,
    row.hash,
    seq,
  )
}

function* checkChange(change: ControlChange): Steps<void> {
  switch (change.kind) {
    case 'setHome':
      return
    case 'createBucket': {
      const standing = yield* nameOf(change.bucket.name)
      if (standing === undefined) return
      const isOwn = standing.ownerId === change.bucket.ownerId
      throw new S3Error(isOwn ? 'BucketAlreadyOwnedByYou' : 'BucketAlreadyExists', { details: { BucketName: change.bucket.name } })
    }
    case 'deleteBucket': {
      const standing = yield* nameOf(change.name)
      if (standing?.id !== change.id) throw new S3Error('NoSuchBucket', { details: { BucketName: change.name } })
      return
    }
    default:
      yield* checkIdentityChange(isOldRoleChange(change) ? yield* todaysChange(change) : change)
  }
}

function* applyChange(change: ControlChange, selfRegion: string, context: TransactionContext): Steps<void> {
  switch (change.kind) {
    case 'setHome':
      return
    case 'createBucket': {
      const { bucket } = change
      yield statement(
        'INSERT INTO names (name, id, region, owner_id, created_ms, settings, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)',
        bucket.name,
        bucket.id,
        bucket.region,
        bucket.ownerId,
        bucket.createdMs,
        JSON.stringify(change.settings),
        context.seq,
      )
      if (bucket.region === selfRegion) {
        yield* insertNewBucket(bucket, change.settings, context)
      }
      return
    }
    case 'deleteBucket':
      yield statement('DELETE FROM names WHERE name = ?1 AND id = ?2', change.name, change.id)
      yield* dropBucket(change.id, context)
      return
    default:
      yield* applyIdentityChange(isOldRoleChange(change) ? yield* todaysChange(change) : change, context)
  }
}

/** Where the bucket of that name lives, in whichever region. */
export function* nameOf(name: string): Steps<BucketName | undefined> {
  const [row] = yield statement('SELECT name, id, region, owner_id, created_ms FROM names WHERE name = ?1', name)
  return row === undefined ? undefined : toName(row)
}

/** Bucket names of an owner, in order. */
export function* scanNames(page: {
  readonly ownerId: string
  readonly after: string
  readonly prefix: string
  readonly region?: string
  readonly limit: number
}): Steps<readonly BucketName[]> {
  const rows = yield statement(
    `SELECT name, id, region, owner_id, created_ms FROM names
     WHERE name > ?1 AND owner_id = ?2 AND substr(name, 1, length(?3)) = ?3 AND (?4 IS NULL OR region = ?4) ORDER BY name LIMIT ?5`,
    page.after,
    page.ownerId,
    page.prefix,
    page.region ?? null,
    page.limit,
  )
  return rows.map(toName)
}

/** Whether a row follows the one before it. @returns what is wrong, in words */
export function controlRowFault(row: ControlRow, before: Pick<ControlRow, 'position' | 'hash'>): string | undefined {
  if (row.position !== before.position + 1) return `row ${row.position} of the control log comes after row ${before.position}`
  if (row.previousHash !== before.hash) return `row ${row.position} of the control log does not name the row before it`
  if (row.hash !== hashOf(row)) return `row ${row.position} of the control log does not have the hash of what it says`
  return undefined
}

export function signedRow(row: Omit<ControlRow, 'hash'>): ControlRow {
  return { ...row, hash: hashOf(row) }
}

function hashOf(row: Omit<ControlRow, 'hash'>): string {
  const covered = JSON.stringify([row.position, row.epoch, row.timeMs, row.requestId, row.change, row.previousHash])
  return createHash('sha256').update(covered).digest('hex')
}

function toControlRow(row: Row): ControlRow {
  return {
    position: number(row.position),
    epoch: number(row.epoch),
    timeMs: number(row.time_ms),
    requestId: text(row.request_id),
    change: json<ControlChange>(row.change),
    previousHash: text(row.previous_hash),
    hash: text(row.hash),
  }
}

function toName(row: Row): BucketName {
  return {
    name: text(row.name),
    id: text(row.id),
    region: text(row.region),
    ownerId: text(row.owner_id),
    createdMs: number(row.created_ms),
  }
}
