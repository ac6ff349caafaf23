/** What must hold among rows, asked of the rows themselves: each query answers with what does not hold. For `farshore check`. */
import type { Bucket } from '../../model/bucket.ts'
import type { ObjectVersion } from '../../model/version.ts'
import { type Row, type Steps, statement } from '../steps.ts'
import { number, optionalText, text } from './columns.ts'
import { type Task, taskColumns, toTask } from './tasks.ts'
import { type VersionPlace, versionsAfter } from './version-rows.ts'

/** Where a finding is, as far as it has a place. */
export interface RowFault {
  readonly kind: string
  readonly bucketId?: string
  readonly key?: string
  readonly versionId?: string
  readonly what: string
}

/** A version with the rows beside it, all of one moment. */
export interface VersionFacts {
  readonly version: ObjectVersion
  /** Of a version that is a source. */
  readonly tasks: readonly Task[]
  /** Of a multipart version. */
  readonly parts: { readonly count: number; readonly sizeBytes: number } | undefined
}

/** Versions behind a place. */
export function* versionFacts(after: VersionPlace, limit: number): Steps<readonly VersionFacts[]> {
  const facts: VersionFacts[] = []
  for (const version of yield* versionsAfter(after, limit)) {
    const tasks = version.replication?.role === 'source' ? yield* tasksOf(version) : []
    facts.push({ version, tasks, parts: version.blobSet === undefined ? undefined : yield* sumOfParts(version.blobSet) })
  }
  return facts
}

function* tasksOf({ bucketId, key, id }: ObjectVersion): Steps<readonly Task[]> {
  const rows = yield statement(`SELECT ${taskColumns} FROM tasks WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3`, bucketId, key, id)
  return rows.map(toTask)
}

function* sumOfParts(blobSet: string): Steps<NonNullable<VersionFacts['parts']>> {
  const [row] = yield statement('SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes FROM parts WHERE blob_set = ?1', blobSet)
  return { count: number(row?.count), sizeBytes: number(row?.bytes) }
}

/** How one key's versions are marked, at one moment. */
export function* marksOfKey(
  bucketId: string,
  key: string,
): Steps<{ readonly newest: string | undefined; readonly latest: readonly string[]; readonly nulls: number }> {
  const rows = yield statement(
    `SELECT id, is_latest, is_null FROM versions WHERE bucket_id = ?1 AND key = ?2
       AND (is_latest = 1 OR is_null = 1 OR id = (SELECT min(id) FROM versions WHERE bucket_id = ?1 AND key = ?2)) ORDER BY id`,
    bucketId,
    key,
  )
  return {
    newest: optionalText(rows[0]?.id),
    latest: rows.filter((row) => row.is_latest === 1).map((row) => text(row.id)),
    nulls: rows.filter((row) => row.is_null === 1).length,
  }
}

export function* bucketNames(): Steps<ReadonlyMap<string, Pick<Bucket, 'name' | 'region'>>> {
  const rows = yield statement('SELECT id, name, region FROM buckets')
  return new Map(rows.map((row) => [text(row.id), { name: text(row.name), region: text(row.region) }]))
}

/** Buckets that the name directory does not know, and names of this region that have no bucket. */
export function* bucketFaults(region: string): Steps<readonly RowFault[]> {
  const unnamed = yield statement(
    'SELECT name FROM buckets WHERE NOT EXISTS (SELECT 1 FROM names WHERE names.id = buckets.id AND names.name = buckets.name)',
  )
  const missing = yield statement(
    'SELECT name FROM names WHERE region = ?1 AND NOT EXISTS (SELECT 1 FROM buckets WHERE buckets.id = names.id)',
    region,
  )
  return [
    ...unnamed.map((row) => ({ kind: 'bucket', what: `bucket ${text(row.name)} is not among the names of the control log` })),
    ...missing.map((row) => ({ kind: 'bucket', what: `the control log has bucket ${text(row.name)} here, and it is not` })),
  ]
}

/** Blobs that more than one row refers to, or that a row refers to although they are freed. Reads indexes alone. */
export function* blobFaults(limit: number): Steps<readonly RowFault[]> {
  const shared = 'more than one row refers to it'
  const faults: RowFault[] = []
  for (const [sql, what] of [
    ['SELECT blob FROM versions INDEXED BY versions_blob WHERE blob IS NOT NULL GROUP BY blob HAVING count(*) > 1 LIMIT ?1', shared],
    ['SELECT blob FROM parts INDEXED BY parts_blob WHERE blob IS NOT NULL GROUP BY blob HAVING count(*) > 1 LIMIT ?1', shared],
    ['SELECT parts.blob AS blob FROM parts JOIN versions ON versions.blob = parts.blob LIMIT ?1', shared],
    [
      'SELECT garbage.blob AS blob FROM garbage JOIN versions ON versions.blob = garbage.blob LIMIT ?1',
      'it is freed and a version refers to it',
    ],
    ['SELECT garbage.blob AS blob FROM garbage JOIN parts ON parts.blob = garbage.blob LIMIT ?1', 'it is freed and a part refers to it'],
  ] as const) {
    const rows = yield statement(sql, limit)
    for (const row of rows) faults.push({ kind: 'blob', what: `blob ${text(row.blob)}: ${what}` })
  }
  return faults
}

/** Parts that belong to no version, no temporary copy of one and no open upload. Each such copy has a move that will end it. */
export function* partsWithoutOwner(): Steps<number> {
  const [row] = yield statement(
    `SELECT (SELECT count(*) FROM parts)
       - (SELECT coalesce(sum(part_count), 0) FROM versions WHERE blob_set IS NOT NULL)
       - (SELECT coalesce(sum(coalesce(part_count, 1)), 0) FROM moves JOIN versions
            ON versions.bucket_id = moves.bucket_id AND versions.key = moves.key AND versions.id = moves.id WHERE kind = 'expire')
       - (SELECT count(*) FROM uploads JOIN parts ON parts.blob_set = uploads.id WHERE uploads.state = 'open') AS surplus`,
  )
  return number(row?.surplus)
}

/** Keys of which not exactly one waiting task is ready, and failed tasks that are. */
export function* readyMarkFaults(limit: number): Steps<readonly RowFault[]> {
  const rows = yield statement(
    `SELECT destination, bucket_id, key, count(ready) AS marks FROM tasks INDEXED BY tasks_chain WHERE state = 'waiting'
     GROUP BY destination, bucket_id, key HAVING count(ready) <> 1 LIMIT ?1`,
    limit,
  )
  const failed = yield statement(
    `SELECT bucket_id, key, version_id, destination FROM tasks WHERE ready IS NOT NULL AND state <> 'waiting' LIMIT ?1`,
    limit,
  )
  return [
    ...rows.map((row) => ({
      kind: 'task',
      ...placeOf(row),
      what: `${number(row.marks)} of its tasks for ${text(row.destination)} are ready, and one must be`,
    })),
    ...failed.map((row) => ({
      kind: 'task',
      ...placeOf(row),
      versionId: text(row.version_id),
      what: `its failed task for ${text(row.destination)} is marked as ready`,
    })),
  ]
}

export function* tasksWithoutVersion(limit: number): Steps<readonly RowFault[]> {
  const rows = yield statement(
    `SELECT bucket_id, key, version_id, destination FROM tasks WHERE NOT EXISTS (SELECT 1 FROM versions
       WHERE versions.bucket_id = tasks.bucket_id AND versions.key = tasks.key AND versions.id = tasks.version_id) LIMIT ?1`,
    limit,
  )
  return rows.map((row) => ({
    kind: 'task',
    ...placeOf(row),
    versionId: text(row.version_id),
    what: `a task for ${text(row.destination)} waits for a version that is not there`,
  }))
}

/** Moves of versions that are not there. */
export function* moveFaults(limit: number): Steps<readonly RowFault[]> {
  const rows = yield statement(
    `SELECT bucket_id, key, id, kind FROM moves WHERE NOT EXISTS (SELECT 1 FROM versions
       WHERE versions.bucket_id = moves.bucket_id AND versions.key = moves.key AND versions.id = moves.id) LIMIT ?1`,
    limit,
  )
  return rows.map((row) => ({
    kind: 'move',
    ...placeOf(row),
    versionId: text(row.id),
    what: `a move (${text(row.kind)}) waits for a version that is not there`,
  }))
}

/** Links whose counters are not what their tasks add up to. */
export function* counterFaults(): Steps<readonly RowFault[]> {
  const rows = yield statement(
    `SELECT bucket_id, destination, rule_id, sum(stored_operations) AS stored_operations, sum(stored_bytes) AS stored_bytes,
       sum(stored_failed) AS stored_failed, sum(operations) AS operations, sum(bytes) AS bytes, sum(failed) AS failed FROM (
         SELECT bucket_id, destination, rule_id, pending_operations AS stored_operations, pending_bytes AS stored_bytes,
           failed AS stored_failed, 0 AS operations, 0 AS bytes, 0 AS failed FROM links
         UNION ALL
         SELECT bucket_id, destination, rule_id, 0, 0, 0, CASE state WHEN 'waiting' THEN 1 ELSE 0 END,
           CASE state WHEN 'waiting' THEN content_bytes ELSE 0 END, CASE state WHEN 'failed' THEN 1 ELSE 0 END FROM tasks)
     GROUP BY bucket_id, destination, rule_id`,
  )
  return rows.flatMap((row) =>
    (['operations', 'bytes', 'failed'] as const)
      .filter((name) => row[name] !== row[`stored_${name}`])
      .map((name) => ({
        kind: 'counter',
        bucketId: text(row.bucket_id),
        what: `rule ${text(row.rule_id)} to ${text(row.destination)} counts ${number(row[`stored_${name}`])} ${counterWords[name]}, its tasks are ${number(row[name])}`,
      })),
  )
}

const counterWords = { operations: 'pending operations', bytes: 'pending bytes', failed: 'failed operations' } as const

export function* rowCounts(): Steps<Readonly<Record<'tasks' | 'links' | 'garbage', number>>> {
  const [row] = yield statement(
    'SELECT (SELECT count(*) FROM tasks) AS tasks, (SELECT count(*) FROM links) AS links, (SELECT count(*) FROM garbage) AS garbage',
  )
  return { tasks: number(row?.tasks), links: number(row?.links), garbage: number(row?.garbage) }
}

function placeOf(row: Row): { readonly bucketId: string; readonly key: string } {
  return { bucketId: text(row.bucket_id), key: text(row.key) }
}
