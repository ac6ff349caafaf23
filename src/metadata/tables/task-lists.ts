/** The replication queue as people look at it, and as they hurry it. */
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, text } from './columns.ts'
import { type Task, taskColumns, toTask } from './tasks.ts'

/** The last one of a page. */
export type WaitingPlace = Pick<Task, 'destination' | 'ruleId' | 'createdMs' | 'key' | 'versionId'>

/** One rule of a bucket with one destination, whether it is configured still or has work left. */
interface Line {
  readonly destination: string
  readonly ruleId: string
  readonly region: string
}

function* linesOf({ bucketId, ruleId }: { readonly bucketId: string; readonly ruleId?: string | undefined }): Steps<readonly Line[]> {
  const rows = yield statement(
    'SELECT destination, rule_id, region, seq FROM links WHERE bucket_id = ?1 AND (?2 IS NULL OR rule_id = ?2) ORDER BY destination, rule_id',
    bucketId,
    ruleId ?? null,
  )
  return rows.map((row) => ({ destination: text(row.destination), ruleId: text(row.rule_id), region: text(row.region) }))
}

/** Waiting tasks of a bucket, those of one destination and rule together, the oldest first; no scan of those of other rules. */
export function* waitingTasks(of: {
  readonly bucketId: string
  readonly ruleId?: string | undefined
  readonly after?: WaitingPlace | undefined
  readonly limit: number
}): Steps<readonly Task[]> {
  const { bucketId, after, limit } = of
  const found: Task[] = []
  for (const { destination, ruleId } of yield* linesOf(of)) {
    const isBefore =
      after !== undefined && (destination < after.destination || (destination === after.destination && ruleId < after.ruleId))
    if (isBefore || found.length >= limit) continue
    const from = after?.destination === destination && after.ruleId === ruleId ? after : { createdMs: -1, key: '', versionId: '' }
    const rows = yield statement(
      `SELECT ${taskColumns}, seq FROM tasks INDEXED BY tasks_oldest
       WHERE bucket_id = ?1 AND destination = ?2 AND rule_id = ?3 AND state = 'waiting' AND (created_ms, key, version_id) > (?4, ?5, ?6)
       ORDER BY created_ms, key, version_id LIMIT ?7`,
      bucketId,
      destination,
      ruleId,
      from.createdMs,
      from.key,
      from.versionId,
      limit - found.length,
    )
    found.push(...rows.map(toTask))
  }
  return found
}

/** What is left to do for one version, a task for each destination. */
export function* tasksOfVersion(of: Pick<Task, 'bucketId' | 'key' | 'versionId'>): Steps<readonly Task[]> {
  const rows = yield statement(
    `SELECT ${taskColumns}, seq FROM tasks WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3 ORDER BY destination`,
    of.bucketId,
    of.key,
    of.versionId,
  )
  return rows.map(toTask)
}

/** Lets failed tasks of a bucket be tried at once, of one rule or of all. At most `limit` of each destination in one commit. */
function* retryFailed(
  input: { readonly bucketId: string; readonly ruleId?: string; readonly limit: number },
  { seq, nowMs }: TransactionContext,
): Steps<{ readonly retried: number }> {
  let retried = 0
  for (const { destination, ruleId, region } of yield* linesOf(input)) {
    const [row] = yield statement(
      `UPDATE tasks SET next_attempt_ms = ?5, seq = ?6 WHERE (bucket_id, key, version_id, destination) IN
         (SELECT bucket_id, key, version_id, destination FROM tasks INDEXED BY tasks_failed
          WHERE state = 'failed' AND region = ?4 AND next_attempt_ms > ?5 AND bucket_id = ?1 AND destination = ?2 AND rule_id = ?3 LIMIT ?7)`,
      input.bucketId,
      destination,
      ruleId,
      region,
      nowMs,
      seq,
      input.limit,
    )
    retried += number(row?.changes)
  }
  return { retried }
}

/** Lets what is left to do for one version be tried at once. NOTE: readers of the ready order find it again by its new place. */
function* retryVersion(
  input: Pick<Task, 'bucketId' | 'key' | 'versionId'>,
  { seq, nowMs }: TransactionContext,
): Steps<{ readonly retried: number }> {
  const [row] = yield statement(
    `UPDATE tasks SET next_attempt_ms = ?4, ready = CASE WHEN ready IS NULL THEN NULL ELSE ?5 END, seq = ?5
     WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3`,
    input.bucketId,
    input.key,
    input.versionId,
    nowMs,
    seq,
  )
  return { retried: number(row?.changes) }
}

export const taskListTransactions = { retryFailed, retryVersion } as const
