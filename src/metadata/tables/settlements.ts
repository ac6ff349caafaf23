/** The source's side of replication: which tasks to send, and what became of those that were sent. */
import type { ReplicationDestination } from '../../model/bucket.ts'
import { type DestinationStatus, headerStatus, type ReplicationState, withDestinationStatus } from '../../model/replication-status.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { followDestination } from './buckets.ts'
import { number, optionalJson, optionalNumber, text } from './columns.ts'
import { replicationSettled } from './lifecycle-again.ts'
import { count, deleteTask, idOf, moveTask, passMark, type Task, type TaskId, taskById, taskColumns, toTask } from './tasks.ts'

/** The last thing that went wrong on a link, for people. */
export interface LinkError {
  readonly code: string
  readonly message: string
  readonly atMs: number
}

export type SettlementOutcome =
  | { readonly kind: 'completed' }
  /** Refused: FAILED, tried again at `nextAttemptMs` or when what refused it changes. */
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string; readonly nextAttemptMs: number }
  /** A fault that passes: stays PENDING. `needsContent`: the destination does not hold the version whose attributes were sent. */
  | {
      readonly kind: 'retry'
      readonly reason: string
      readonly message: string
      readonly nextAttemptMs: number
      readonly needsContent?: boolean
    }
  /** The destination bucket was deleted, and another took its name. */
  | { readonly kind: 'moved'; readonly to: ReplicationDestination }

export interface Settlement extends TaskId {
  /** Of the task when it was sent: a later one means that the version changed meanwhile and goes again. */
  readonly revision: number
  readonly outcome: SettlementOutcome
}

/** Writes what became of deliveries: COMPLETED or FAILED on the versions, the tasks gone or put back, the counters true. */
function* settle(input: { readonly settlements: readonly Settlement[] }, context: TransactionContext): Steps<void> {
  for (const settlement of input.settlements) {
    const task = yield* taskById(settlement)
    // The version was purged, or its bucket: nothing is left to settle.
    if (task === undefined) continue
    switch (settlement.outcome.kind) {
      case 'completed':
        yield* complete(task, settlement.revision, context)
        break
      case 'failed':
        if (task.revision === settlement.revision) yield* fail(task, settlement.outcome, context)
        break
      case 'retry':
        yield* putBack(task, settlement.outcome, context)
        break
      case 'moved':
        yield* followDestination({ bucketId: task.bucketId, name: task.destinationName, to: settlement.outcome.to }, context)
        yield* setStatus(task, (yield* moveTask(task, settlement.outcome.to, context)) === 'failed' ? 'FAILED' : 'PENDING', context)
        break
      default:
        settlement.outcome satisfies never
    }
  }
}

function* complete(task: Task, sentRevision: number, context: TransactionContext): Steps<void> {
  if (task.revision === sentRevision) {
    yield* deleteTask(task, context)
    yield* setStatus(task, 'COMPLETED', context)
    return
  }
  // The content is there; what changed since then goes as attributes.
  yield statement(
    `UPDATE tasks SET is_content = 0, content_bytes = 0, ready = CASE WHEN ready IS NULL THEN NULL ELSE ?5 END, seq = ?5
     WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3 AND destination = ?4`,
    ...idOf(task),
    context.seq,
  )
  if (task.state === 'waiting') yield* count(task, { operations: 0, bytes: -task.contentBytes, failed: 0 }, context)
}

function* fail(task: Task, outcome: SettlementOutcome & { kind: 'failed' }, context: TransactionContext): Steps<void> {
  yield statement(
    `UPDATE tasks SET state = 'failed', ready = NULL, attempts = attempts + 1, next_attempt_ms = ?5, reason = ?6, message = ?7, seq = ?8
     WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3 AND destination = ?4`,
    ...idOf(task),
    outcome.nextAttemptMs,
    outcome.reason,
    outcome.message,
    context.seq,
  )
  yield* noteError(task, outcome, context)
  if (task.state === 'failed') return
  yield* count(task, { operations: -1, bytes: -task.contentBytes, failed: 1 }, context)
  if (task.isReady) yield* passMark(task, context)
  yield* setStatus(task, 'FAILED', context)
}

function* putBack(task: Task, outcome: SettlementOutcome & { kind: 'retry' }, context: TransactionContext): Steps<void> {
  // Sent as attributes alone, it had no bytes to send; now it has all of the version's.
  const contentBytes = outcome.needsContent === true && !task.isContent ? yield* sizeOf(task) : task.contentBytes
  yield statement(
    `UPDATE tasks SET attempts = attempts + 1, next_attempt_ms = ?5, reason = ?6, message = ?7, is_content = is_content OR ?8,
       ready = CASE WHEN ready IS NULL THEN NULL ELSE ?9 END, seq = ?9, content_bytes = ?10
     WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3 AND destination = ?4`,
    ...idOf(task),
    outcome.nextAttemptMs,
    outcome.reason,
    outcome.message,
    outcome.needsContent === true ? 1 : 0,
    context.seq,
    contentBytes,
  )
  if (task.state === 'waiting' && contentBytes !== task.contentBytes) {
    yield* count(task, { operations: 0, bytes: contentBytes - task.contentBytes, failed: 0 }, context)
  }
  yield* noteError(task, outcome, context)
}

function* sizeOf(task: Task): Steps<number> {
  const [row] = yield statement(
    'SELECT size FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
    task.bucketId,
    task.key,
    task.versionId,
  )
  return row === undefined ? 0 : number(row.size)
}

function* noteError(
  task: Task,
  error: { readonly reason: string; readonly message: string },
  { seq, nowMs }: TransactionContext,
): Steps<void> {
  const lastError: LinkError = { code: error.reason, message: error.message, atMs: nowMs }
  yield statement(
    'UPDATE links SET last_error = ?4, seq = ?5 WHERE bucket_id = ?1 AND destination = ?2 AND rule_id = ?3',
    task.bucketId,
    task.destination,
    task.ruleId,
    JSON.stringify(lastError),
    seq,
  )
}

function* setStatus(task: Task, status: DestinationStatus, context: TransactionContext): Steps<void> {
  const [row] = yield statement(
    'SELECT replication FROM versions WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
    task.bucketId,
    task.key,
    task.versionId,
  )
  const state = optionalJson<ReplicationState>(row?.replication)
  if (state?.role !== 'source') return
  const settled = withDestinationStatus(state, { destinationBucket: task.destinationName, status, ruleId: task.ruleId })
  if (headerStatus(settled) === 'COMPLETED') {
    yield* replicationSettled({ bucketId: task.bucketId, key: task.key, id: task.versionId }, context)
  }
  yield statement(
    'UPDATE versions SET replication = ?4, seq = ?5 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
    task.bucketId,
    task.key,
    task.versionId,
    JSON.stringify(settled),
    context.seq,
  )
}

/**
 * Lets failed tasks be tried at once: something that refused them has changed. At most `limit` in one commit.
 * NOTE: without a region this looks at every failed task that there is.
 */
function* redriveFailed(
  input: { readonly region?: string; readonly bucketId?: string; readonly destination?: string; readonly limit: number },
  { seq, nowMs }: TransactionContext,
): Steps<{ readonly redriven: number }> {
  const ofRegion = input.region === undefined ? '?6 IS NULL' : 'region = ?6'
  const [row] = yield statement(
    `UPDATE tasks SET next_attempt_ms = ?3, seq = ?4 WHERE (bucket_id, key, version_id, destination) IN
       (SELECT bucket_id, key, version_id, destination FROM tasks INDEXED BY tasks_failed
        WHERE state = 'failed' AND ${ofRegion} AND next_attempt_ms > ?3 AND (?1 IS NULL OR bucket_id = ?1) AND (?2 IS NULL OR destination = ?2)
        LIMIT ?5)`,
    input.bucketId ?? null,
    input.destination ?? null,
    nowMs,
    seq,
    input.limit,
    input.region ?? null,
  )
  return { redriven: number(row?.changes) }
}

export const settlementTransactions = { settle, redriveFailed } as const

/** A ready task with its place in the ready order. */
export interface ReadyTask {
  readonly task: Task
  readonly ready: number
}

/**
 * Tasks to send to a region, in the order in which they became ready.
 * @param from.ready  begin at this place (inclusive: several tasks may share one)
 * @param from.latestMs  nobody puts a task off further than this: a later time was said by a clock that has been put back
 */
export function* readyTasks(from: {
  readonly region: string
  readonly ready: number
  readonly nowMs: number
  readonly latestMs: number
  readonly limit: number
}): Steps<readonly ReadyTask[]> {
  const rows = yield statement(
    `SELECT ${taskColumns}, seq FROM tasks INDEXED BY tasks_ready
     WHERE region = ?1 AND ready >= ?2 AND (next_attempt_ms <= ?3 OR next_attempt_ms > ?5) ORDER BY ready LIMIT ?4`,
    from.region,
    from.ready,
    from.nowMs,
    from.limit,
    from.latestMs,
  )
  return rows.map((row) => ({ task: toTask(row), ready: number(row.ready) }))
}

/** The waiting tasks behind the head of a key, oldest version first: they may travel in the same ordered batch. */
export function* tasksBehind(head: TaskId, limit: number): Steps<readonly Task[]> {
  const rows = yield statement(
    `SELECT ${taskColumns}, seq FROM tasks INDEXED BY tasks_chain
     WHERE destination = ?1 AND bucket_id = ?2 AND key = ?3 AND state = 'waiting' AND version_id < ?4 ORDER BY version_id DESC LIMIT ?5`,
    head.destination,
    head.bucketId,
    head.key,
    head.versionId,
    limit,
  )
  return rows.map(toTask)
}

/**
 * Failed tasks of a region that are due for another try.
 * @param of.latestMs  nobody puts a task off further than this: a later time was said by a clock that has been put back
 * @param of.contentBytes  those that send so many
 */
export function* failedTasksDue(of: {
  readonly region: string
  readonly nowMs: number
  readonly latestMs: number
  readonly contentBytes: { readonly min: number; readonly max: number }
  readonly limit: number
}): Steps<readonly Task[]> {
  const rows = yield statement(
    `SELECT ${taskColumns}, seq FROM tasks INDEXED BY tasks_failed
     WHERE state = 'failed' AND region = ?1 AND (next_attempt_ms <= ?2 OR next_attempt_ms > ?3) AND content_bytes BETWEEN ?4 AND ?5
     ORDER BY next_attempt_ms LIMIT ?6`,
    of.region,
    of.nowMs,
    of.latestMs,
    of.contentBytes.min,
    of.contentBytes.max,
    of.limit,
  )
  return rows.map(toTask)
}

/** How one rule stands with one destination. */
export interface LinkStatus {
  readonly bucketId: string
  readonly bucket: string
  readonly ruleId: string
  readonly destination: string
  readonly destinationName: string
  readonly region: string
  readonly pendingOperations: number
  readonly pendingBytes: number
  readonly failed: number
  readonly oldestPendingMs?: number
  readonly lastError?: LinkError
}

/** Every link that has ever had work, with exact counters; no scan of tasks or versions. */
export function* linkStatuses(): Steps<readonly LinkStatus[]> {
  const rows = yield statement(
    `SELECT links.*, buckets.name AS bucket,
       (SELECT min(created_ms) FROM tasks INDEXED BY tasks_oldest
        WHERE tasks.bucket_id = links.bucket_id AND tasks.destination = links.destination AND tasks.rule_id = links.rule_id
          AND tasks.state = 'waiting') AS oldest_ms
     FROM links JOIN buckets ON buckets.id = links.bucket_id`,
  )
  return rows.map((row) => {
    const lastError = optionalJson<LinkError>(row.last_error)
    const oldestPendingMs = optionalNumber(row.oldest_ms)
    return {
      bucketId: text(row.bucket_id),
      bucket: text(row.bucket),
      ruleId: text(row.rule_id),
      destination: text(row.destination),
      destinationName: text(row.destination_name),
      region: text(row.region),
      pendingOperations: number(row.pending_operations),
      pendingBytes: number(row.pending_bytes),
      failed: number(row.failed),
      ...(oldestPendingMs === undefined ? {} : { oldestPendingMs }),
      ...(lastError === undefined ? {} : { lastError }),
    }
  })
}

/** Failed tasks with their reasons, a page at a time in primary-key order. */
export function* failedTasks(page: {
  readonly after?: TaskId
  readonly limit: number
}): Steps<readonly (Task & { readonly bucket: string })[]> {
  const rows = yield statement(
    `SELECT ${taskColumns
      .split(', ')
      .map((column) => `tasks.${column}`)
      .join(', ')}, buckets.name AS bucket FROM tasks JOIN buckets ON buckets.id = tasks.bucket_id
     WHERE tasks.state = 'failed' AND (tasks.bucket_id, tasks.key, tasks.version_id, tasks.destination) > (?1, ?2, ?3, ?4)
     ORDER BY tasks.bucket_id, tasks.key, tasks.version_id, tasks.destination LIMIT ?5`,
    page.after?.bucketId ?? '',
    page.after?.key ?? '',
    page.after?.versionId ?? '',
    page.after?.destination ?? '',
    page.limit,
  )
  return rows.map((row) => ({ ...toTask(row), bucket: text(row.bucket) }))
}
