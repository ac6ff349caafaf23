/**
 * The replication queue: one row says "make version V equal at destination D". A row is written in the transaction that made the work,
 * and leaves in the one that writes COMPLETED.
 *
 * Of the waiting tasks of one (destination, key) exactly one, the oldest version's, is `ready`; settling it passes the mark on. So a reader of the
 * ready index meets each key once, however many versions stand behind. A failed task holds no mark: it yields to those behind it.
 */
import type { ReplicationDestination } from '../../model/bucket.ts'
import type { Plan } from '../../model/replication-rules.ts'
import type { ObjectVersion } from '../../model/version.ts'
import { type Row, type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, optionalText, text } from './columns.ts'

export interface Task {
  readonly bucketId: string
  readonly key: string
  /** Ordered id of the version. */
  readonly versionId: string
  /** Id of the destination bucket. */
  readonly destination: string
  readonly destinationName: string
  readonly region: string
  readonly ruleId: string
  /** The rule's override of the storage class. */
  readonly storageClass?: string
  readonly state: 'waiting' | 'failed'
  /** Head of its key's waiting tasks: the one to send next. */
  readonly isReady: boolean
  /** The commit that made or last changed the work: a settlement counts only for the revision that was sent. */
  readonly revision: number
  /** Bytes still to be sent; 0 when only attributes are. */
  readonly contentBytes: number
  /** Whether the destination is not yet known to hold the version. */
  readonly isContent: boolean
  readonly createdMs: number
  readonly attempts: number
  readonly nextAttemptMs: number
  readonly reason?: string
  readonly message?: string
}

/** Which task: the primary key of its row. */
export type TaskId = Pick<Task, 'bucketId' | 'key' | 'versionId' | 'destination'>

export const taskColumns =
  'bucket_id, key, version_id, destination, destination_name, region, rule_id, storage_class, state, ready, revision, content_bytes, is_content, ' +
  'created_ms, attempts, next_attempt_ms, reason, message'

export function toTask(row: Row): Task {
  const storageClass = optionalText(row.storage_class)
  const reason = optionalText(row.reason)
  const message = optionalText(row.message)
  return {
    bucketId: text(row.bucket_id),
    key: text(row.key),
    versionId: text(row.version_id),
    destination: text(row.destination),
    destinationName: text(row.destination_name),
    region: text(row.region),
    ruleId: text(row.rule_id),
    state: text(row.state) as Task['state'], // written by this file only
    isReady: row.ready !== null,
    revision: number(row.revision),
    contentBytes: number(row.content_bytes),
    isContent: row.is_content === 1,
    createdMs: number(row.created_ms),
    attempts: number(row.attempts),
    nextAttemptMs: number(row.next_attempt_ms),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  }
}

/** Writes the tasks that a new version makes: part of the transaction that makes it. */
export function* enqueueVersion(
  version: ObjectVersion,
  plans: readonly Plan[],
  destinations: Readonly<Record<string, ReplicationDestination>>,
  context: TransactionContext,
): Steps<void> {
  for (const plan of plans) {
    const destination = destinations[plan.destinationBucket]
    if (destination === undefined) throw new Error(`no destination known for ${plan.destinationBucket}`)
    yield* insertTask(
      {
        bucketId: version.bucketId,
        key: version.key,
        versionId: version.id,
        destination: destination.bucketId,
        destinationName: plan.destinationBucket,
        region: destination.region,
        ruleId: plan.ruleId,
        state: 'waiting',
        revision: context.seq,
        contentBytes: version.size,
        isContent: true,
        createdMs: context.nowMs,
        attempts: 0,
        nextAttemptMs: 0,
        ...(plan.storageClass === undefined ? {} : { storageClass: plan.storageClass }),
      },
      context,
    )
  }
}

/** Queues a version again after a later change to its attributes, without its content where the destination has it already. */
export function* enqueueAttributes(
  version: ObjectVersion,
  plan: Plan,
  destination: ReplicationDestination,
  context: TransactionContext,
): Steps<void> {
  const existing = yield* taskById({
    bucketId: version.bucketId,
    key: version.key,
    versionId: version.id,
    destination: destination.bucketId,
  })
  if (existing === undefined) {
    yield* insertTask(
      {
        bucketId: version.bucketId,
        key: version.key,
        versionId: version.id,
        destination: destination.bucketId,
        destinationName: plan.destinationBucket,
        region: destination.region,
        ruleId: plan.ruleId,
        state: 'waiting',
        revision: context.seq,
        contentBytes: 0,
        isContent: false,
        createdMs: context.nowMs,
        attempts: 0,
        nextAttemptMs: 0,
        ...(plan.storageClass === undefined ? {} : { storageClass: plan.storageClass }),
      },
      context,
    )
    return
  }
  const isBehind = existing.state === 'failed' && (yield* hasWaiting(existing))
  yield statement(
    `UPDATE tasks SET revision = ?5, state = 'waiting', next_attempt_ms = 0, reason = NULL, message = NULL, seq = ?5
     WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3 AND destination = ?4`,
    ...idOf(existing),
    context.seq,
  )
  if (existing.state === 'waiting') return
  yield* count(existing, { operations: 1, bytes: existing.contentBytes, failed: -1 }, context)
  if (!isBehind) yield* passMark(existing, context)
}

/** Drops the tasks of a version that is being purged. */
export function* dropTasksOf(version: ObjectVersion, context: TransactionContext): Steps<void> {
  const rows = yield statement(
    `SELECT ${taskColumns} FROM tasks WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3`,
    version.bucketId,
    version.key,
    version.id,
  )
  for (const row of rows) yield* deleteTask(toTask(row), context)
}

/** Removes a settled or needless task, keeps the counters true and passes the ready mark on. */
export function* deleteTask(task: Task, context: TransactionContext): Steps<void> {
  yield statement('DELETE FROM tasks WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3 AND destination = ?4', ...idOf(task))
  if (task.state === 'failed') {
    yield* count(task, { operations: 0, bytes: 0, failed: -1 }, context)
    return
  }
  yield* count(task, { operations: -1, bytes: -task.contentBytes, failed: 0 }, context)
  if (task.isReady) yield* passMark(task, context)
}

/**
 * Plans a task anew for another destination bucket. One that stands there already, for a later change, asks for the content by itself.
 * @returns the state of the task that stands there now
 */
export function* moveTask(task: Task, to: ReplicationDestination, context: TransactionContext): Steps<Task['state']> {
  yield* deleteTask(task, context)
  const { isReady: _, reason: _reason, message: _message, ...kept } = task
  const moved = { ...kept, destination: to.bucketId, region: to.region }
  const standing = yield* taskById(moved)
  if (standing !== undefined) return standing.state
  yield* insertTask({ ...moved, state: 'waiting', attempts: 0, nextAttemptMs: 0 }, context)
  return 'waiting'
}

export function* taskById(id: TaskId): Steps<Task | undefined> {
  const [row] = yield statement(
    `SELECT ${taskColumns} FROM tasks WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3 AND destination = ?4`,
    ...idOf(id),
  )
  return row === undefined ? undefined : toTask(row)
}

/** Adds to a link's counters: pending operations and bytes, failed ones. */
export function* count(
  task: Omit<Task, 'isReady'>,
  by: { readonly operations: number; readonly bytes: number; readonly failed: number },
  { seq }: TransactionContext,
): Steps<void> {
  yield statement(
    `INSERT INTO links (bucket_id, destination, rule_id, destination_name, region, pending_operations, pending_bytes, failed, seq)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
     ON CONFLICT (bucket_id, destination, rule_id) DO UPDATE SET
       pending_operations = pending_operations + excluded.pending_operations, pending_bytes = pending_bytes + excluded.pending_bytes,
       failed = failed + excluded.failed, seq = excluded.seq`,
    task.bucketId,
    task.destination,
    task.ruleId,
    task.destinationName,
    task.region,
    by.operations,
    by.bytes,
    by.failed,
    seq,
  )
}

/** Gives the ready mark to the oldest waiting task of this (destination, key). NOTE: only when none there has it. */
export function* passMark(of: TaskId, { seq }: TransactionContext): Steps<void> {
  yield statement(
    `UPDATE tasks SET ready = ?4 WHERE bucket_id = ?2 AND key = ?3 AND destination = ?1 AND version_id =
       (SELECT version_id FROM tasks INDEXED BY tasks_chain
        WHERE destination = ?1 AND bucket_id = ?2 AND key = ?3 AND state = 'waiting' ORDER BY version_id DESC LIMIT 1)`,
    of.destination,
    of.bucketId,
    of.key,
    seq,
  )
}

/** Whether some task of this (destination, key) waits: exactly one of those has the mark then. */
function* hasWaiting(of: TaskId): Steps<boolean> {
  const rows = yield statement(
    `SELECT 1 AS found FROM tasks INDEXED BY tasks_chain
     WHERE destination = ?1 AND bucket_id = ?2 AND key = ?3 AND state = 'waiting' LIMIT 1`,
    of.destination,
    of.bucketId,
    of.key,
  )
  return rows.length > 0
}

function* insertTask(task: Omit<Task, 'isReady'>, context: TransactionContext): Steps<void> {
  const isBehind = yield* hasWaiting(task)
  yield statement(
    `INSERT INTO tasks (${taskColumns}, seq)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)`,
    ...idOf(task),
    task.destinationName,
    task.region,
    task.ruleId,
    task.storageClass ?? null,
    task.state,
    isBehind ? null : context.seq,
    task.revision,
    task.contentBytes,
    task.isContent ? 1 : 0,
    task.createdMs,
    task.attempts,
    task.nextAttemptMs,
    task.reason ?? null,
    task.message ?? null,
    context.seq,
  )
  yield* count(task, { operations: 1, bytes: task.contentBytes, failed: 0 }, context)
}

export function idOf(task: TaskId): readonly [string, string, string, string] {
  return [task.bucketId, task.key, task.versionId, task.destination]
}
