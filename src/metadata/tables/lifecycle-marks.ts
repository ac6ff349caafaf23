/** How far lifecycle has come in a bucket: its passes, the marks that it leaves behind, and what stands between a mark and an age. */
import { hash } from 'node:crypto'
import type { LifecycleConfiguration } from '../../model/lifecycle.ts'
import type { ObjectVersion } from '../../model/version.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, optionalNumber, text } from './columns.ts'
import { toVersion, versionColumns } from './version-rows.ts'

/** What is read at an age: current versions, only the markers among them, or noncurrent ones. */
export type AgeScope = 'current' | 'markers' | 'noncurrent'

/** The versions of a bucket at one age. */
export interface AgeRange {
  readonly bucketId: string
  readonly scope: AgeScope
  readonly age: string
  /** Whatever counts from this time or an earlier one has the age. */
  readonly dueUntilMs: number
}

/** A version's place among those of its scope. */
export interface AgePlace {
  readonly sinceMs: number
  readonly key: string
  readonly id: string
}

export interface LifecycleCounts {
  readonly expired: number
  readonly removed: number
  readonly transitioned: number
  /** Uploads. */
  readonly aborted: number
  readonly freedBytes: number
  /** Of what is to move to another class. */
  readonly movedBytes: number
}

export interface LifecyclePass extends LifecycleCounts {
  readonly bucketId: string
  readonly configuration: string
  /** The midnight that it is for. */
  readonly dueMs: number
  readonly startedMs: number
  readonly endedMs: number | undefined
}

/** Tells configurations apart: a mark is worth something under the one that it was made under. */
export function configurationName(configuration: LifecycleConfiguration): string {
  return hash('sha256', JSON.stringify(configuration), 'base64url')
}

/** Where to go on at an age; undefined: nothing has been judged at it under this configuration. */
export function* judgedUntil(of: AgeRange, configuration: string): Steps<number | undefined> {
  const [row] = yield statement(
    'SELECT judged_ms, configuration, seq FROM lifecycle_marks WHERE bucket_id = ?1 AND is_latest = ?2 AND age = ?3',
    of.bucketId,
    of.scope === 'noncurrent' ? 0 : 1,
    of.age,
  )
  return row === undefined || row.configuration !== configuration ? undefined : number(row.judged_ms)
}

/** Part of a transaction that has judged all until then. */
export function* setMark(
  of: AgeRange,
  mark: { readonly judgedMs: number; readonly configuration: string },
  { seq }: TransactionContext,
): Steps<void> {
  yield statement(
    `INSERT OR REPLACE INTO lifecycle_marks (bucket_id, is_latest, age, judged_ms, configuration, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
    of.bucketId,
    of.scope === 'noncurrent' ? 0 : 1,
    of.age,
    mark.judgedMs,
    mark.configuration,
    seq,
  )
}

/** The place behind all that was judged. */
export function placeBehind(judgedMs: number | undefined): AgePlace {
  return { sinceMs: judgedMs === undefined ? 0 : judgedMs + 1, key: '', id: '' }
}

/** Versions that have an age, those that have it longest first. */
export function* agedVersions(of: AgeRange, page: { readonly after: AgePlace; readonly limit: number }): Steps<readonly ObjectVersion[]> {
  const rows = yield statement(scans[of.scope], of.bucketId, of.dueUntilMs, page.after.sinceMs, page.after.key, page.after.id, page.limit)
  return rows.map(toVersion)
}

/** What is read of it is the index, and no more than one entry. */
export function* hasAged(of: AgeRange, after: AgePlace): Steps<boolean> {
  const [row] = yield statement(probes[of.scope], of.bucketId, of.dueUntilMs, after.sinceMs, after.key, after.id)
  return row !== undefined
}

const conditions = {
  current: 'versions INDEXED BY versions_age WHERE bucket_id = ?1 AND is_latest = 1',
  noncurrent: 'versions INDEXED BY versions_age WHERE bucket_id = ?1 AND is_latest = 0',
  markers: 'versions INDEXED BY versions_markers WHERE bucket_id = ?1 AND is_latest = 1 AND is_marker = 1',
} as const
const range = 'AND since_ms <= ?2 AND (since_ms, key, id) > (?3, ?4, ?5) ORDER BY since_ms, key, id'
const scan = (scope: AgeScope): string => `SELECT ${versionColumns} FROM ${conditions[scope]} ${range} LIMIT ?6`
const probe = (scope: AgeScope): string => `SELECT since_ms FROM ${conditions[scope]} ${range} LIMIT 1`
const scans = { current: scan('current'), noncurrent: scan('noncurrent'), markers: scan('markers') } as const
const probes = { current: probe('current'), noncurrent: probe('noncurrent'), markers: probe('markers') } as const

export function* passOf(bucketId: string): Steps<LifecyclePass | undefined> {
  const [row] = yield statement(`SELECT ${passColumns}, seq FROM lifecycle_passes WHERE bucket_id = ?1`, bucketId)
  return row === undefined ? undefined : toPass(row)
}

/** Of all buckets. */
export function* allPasses(): Steps<readonly LifecyclePass[]> {
  const rows = yield statement(`SELECT ${passColumns}, seq FROM lifecycle_passes`)
  return rows.map(toPass)
}

/** Begins a pass, or goes on with one that was begun for the same midnight under the same configuration. */
export function* openPass(
  of: { readonly bucketId: string; readonly configuration: string; readonly dueMs: number },
  { seq, nowMs }: TransactionContext,
): Steps<void> {
  const standing = yield* passOf(of.bucketId)
  if (standing?.endedMs === undefined && standing?.configuration === of.configuration && standing.dueMs === of.dueMs) return
  yield statement('DELETE FROM lifecycle_marks WHERE bucket_id = ?1 AND configuration <> ?2', of.bucketId, of.configuration)
  yield statement(
    `INSERT OR REPLACE INTO lifecycle_passes (${passColumns}, seq) VALUES (?1, ?2, ?3, ?4, NULL, 0, 0, 0, 0, 0, 0, ?5)`,
    of.bucketId,
    of.configuration,
    of.dueMs,
    nowMs,
    seq,
  )
}

/** Part of a transaction that changes the rules: whatever was judged is judged anew, and a pass that is on its way has no more to go on with. */
export function* beginAgain(bucketId: string, { seq }: TransactionContext): Steps<void> {
  yield statement('DELETE FROM lifecycle_marks WHERE bucket_id = ?1', bucketId)
  yield statement("UPDATE lifecycle_passes SET configuration = '', seq = ?2 WHERE bucket_id = ?1", bucketId, seq)
}

export function* closePass(
  of: { readonly bucketId: string; readonly configuration: string; readonly dueMs: number },
  { seq, nowMs }: TransactionContext,
): Steps<void> {
  yield statement(
    'UPDATE lifecycle_passes SET ended_ms = ?4, seq = ?5 WHERE bucket_id = ?1 AND configuration = ?2 AND due_ms = ?3',
    of.bucketId,
    of.configuration,
    of.dueMs,
    nowMs,
    seq,
  )
}

/** Adds to what was done since the bucket's last pass began. */
export function* countDone(bucketId: string, done: LifecycleCounts, { seq }: TransactionContext): Steps<void> {
  if (done.expired + done.removed + done.transitioned + done.aborted === 0) return
  yield statement(
    `UPDATE lifecycle_passes SET expired = expired + ?2, removed = removed + ?3, transitioned = transitioned + ?4, aborted = aborted + ?5,
       freed_bytes = freed_bytes + ?6, moved_bytes = moved_bytes + ?7, seq = ?8 WHERE bucket_id = ?1`,
    bucketId,
    done.expired,
    done.removed,
    done.transitioned,
    done.aborted,
    done.freedBytes,
    done.movedBytes,
    seq,
  )
}

const passColumns =
  'bucket_id, configuration, due_ms, started_ms, ended_ms, expired, removed, transitioned, aborted, freed_bytes, moved_bytes'

function toPass(row: Row): LifecyclePass {
  return {
    bucketId: text(row.bucket_id),
    configuration: text(row.configuration),
    dueMs: number(row.due_ms),
    startedMs: number(row.started_ms),
    endedMs: optionalNumber(row.ended_ms),
    expired: number(row.expired),
    removed: number(row.removed),
    transitioned: number(row.transitioned),
    aborted: number(row.aborted),
    freedBytes: number(row.freed_bytes),
    movedBytes: number(row.moved_bytes),
  }
}
