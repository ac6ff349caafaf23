/** What must hold of one version and the rows beside it, as seen at one moment. */
import type { RowFault, VersionFacts } from '../metadata/tables/checks.ts'
import type { Task } from '../metadata/tables/tasks.ts'
import { readLegalHold, readRetention } from '../model/object-lock.ts'
import type { DestinationStatus } from '../model/replication-status.ts'
import { publicVersionId } from '../model/version.ts'

export function faultsOfVersion(facts: VersionFacts): readonly RowFault[] {
  const { version } = facts
  const place = { bucketId: version.bucketId, key: version.key, versionId: publicVersionId(version) }
  return [
    ...contentFaults(facts).map((what) => ({ kind: 'version', ...place, what })),
    ...statusFaults(facts).map((what) => ({ kind: 'status', ...place, what })),
    ...lockFaults(facts).map((what) => ({ kind: 'version', ...place, what })),
    ...ageFaults(facts).map((what) => ({ kind: 'latest', ...place, what })),
  ]
}

function contentFaults({ version, parts }: VersionFacts): readonly string[] {
  const { blob, blobSet, isDeleteMarker, partCount, size } = version
  const faults: string[] = []
  const kinds = Number(blob !== undefined) + Number(blobSet !== undefined)
  if (isDeleteMarker && kinds > 0) faults.push('it is a delete marker and has content')
  if (!isDeleteMarker && kinds !== 1) faults.push(kinds === 0 ? 'it has no content' : 'it has both a blob and parts')
  if (parts === undefined) return faults
  if (parts.count !== partCount) faults.push(`it has ${parts.count} parts, and says ${partCount}`)
  if (parts.sizeBytes !== size) faults.push(`its parts have ${parts.sizeBytes} bytes, and it says ${size}`)
  return faults
}

/** Such a version is kept as locked, and nobody can say for how long. */
function lockFaults({ version: { record } }: VersionFacts): readonly string[] {
  return [
    ...(readRetention(record) === 'unreadable' ? ['its retention cannot be read'] : []),
    ...(readLegalHold(record) === 'unreadable' ? ['its legal hold cannot be read'] : []),
  ]
}

/** Lifecycle finds versions by it. */
function ageFaults({ version: { isLatest, lastModifiedMs, sinceMs } }: VersionFacts): readonly string[] {
  return isLatest && sinceMs !== lastModifiedMs ? ['its age counts from another time than its Last-Modified'] : []
}

/** A status and the tasks for it change in one transaction: whoever is PENDING has a task that waits. */
function statusFaults({ version, tasks }: VersionFacts): readonly string[] {
  const { replication } = version
  if (replication?.role !== 'source') return []
  const faults: string[] = []
  for (const [name, { status }] of Object.entries(replication.destinations)) {
    const own = tasks.filter((task) => task.destinationName === name)
    // A name that went to another bucket may have a task for each of the two for a while.
    if (own.length <= 1 && !fits(status, own[0])) faults.push(`it is ${status} for ${name}, and ${wordsOf(own[0])}`)
  }
  for (const { destinationName } of tasks) {
    if (!Object.hasOwn(replication.destinations, destinationName)) faults.push(`it has a task for ${destinationName}, and no status`)
  }
  return faults
}

function fits(status: DestinationStatus, task: Task | undefined): boolean {
  switch (status) {
    case 'PENDING':
      return task?.state === 'waiting'
    case 'FAILED':
      return task?.state === 'failed'
    case 'COMPLETED':
      return task === undefined
    default:
      return status satisfies never
  }
}

function wordsOf(task: Task | undefined): string {
  if (task === undefined) return 'no task is there'
  return task.state === 'waiting' ? 'a task waits' : 'its task failed'
}
