/** Fills a bucket with versions of many ages, as rows of the engine's own tables: a million PUTs of months ago cannot be made. */
import { randomBytes } from 'node:crypto'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import type { Metadata } from '../../src/metadata/engine.ts'
import type { Steps, TransactionContext } from '../../src/metadata/steps.ts'
import { insertVersion } from '../../src/metadata/tables/version-rows.ts'
import type { LifecycleConfiguration } from '../../src/model/lifecycle.ts'
import type { ObjectVersion } from '../../src/model/version.ts'

export const dayMs = 24 * 3600 * 1000
export const bucketId = 'measured'
const rowsPerCommit = 500
const commitsAtOnce = 8

/** What is older than this is due, current or not. */
const dueDays = 30
const rules: LifecycleConfiguration = {
  Rule: [
    { ID: 'all', Status: 'Enabled', Filter: {}, Expiration: { Days: dueDays }, NoncurrentVersionExpiration: { NoncurrentDays: dueDays } },
  ],
  transitionDefaultMinimumObjectSize: 'all_storage_classes_128K',
}

export interface Filling {
  readonly versions: number
  /** Of them; half are current. */
  readonly due: number
}

/** Two versions a key. Keys whose versions are due stand between the others, as far from each other as there is room. */
export async function fill(metadata: Metadata, { versions, due }: Filling, nowMs: number): Promise<void> {
  const bucket = { id: bucketId, name: 'measured-bucket', region: 'us-east-1', ownerId: 'owner', createdMs: nowMs }
  await metadata.commit({
    tx: 'appendControl',
    selfRegion: 'us-east-1',
    requestId: randomBytes(8).toString('hex'),
    change: { kind: 'createBucket', bucket, settings: { lifecycle: rules } },
  })
  await metadata.commit({ tx: 'setVersioning', bucketId, versioning: 'Enabled' })
  // The engine's door knows the real transactions by name; this one is not of them.
  const commit = metadata.commit.bind(metadata) as unknown as (command: FillCommand & { readonly tx: 'fillVersions' }) => Promise<void>
  let running: Promise<void>[] = []
  let batch: ObjectVersion[] = []
  for (const version of versionsOf({ versions, due }, nowMs)) {
    batch.push(version)
    if (batch.length < rowsPerCommit) continue
    running.push(commit({ tx: 'fillVersions', versions: batch }))
    batch = []
    if (running.length < commitsAtOnce) continue
    await Promise.all(running)
    running = []
  }
  await Promise.all([...running, commit({ tx: 'fillVersions', versions: batch })])
}

interface FillCommand {
  readonly versions: readonly ObjectVersion[]
}

export function* fillVersions({ versions }: FillCommand, { seq }: TransactionContext): Steps<void> {
  for (const version of versions) yield* insertVersion({ ...version, seq })
}

function* versionsOf({ versions, due }: Filling, nowMs: number): Iterable<ObjectVersion> {
  const keys = versions / 2
  const every = keys / due
  const clockMs = { ms: 0 }
  const ids = new HybridClock({ clock: { nowMs: () => clockMs.ms }, region: 'us-east-1' })
  let nextDue = 0
  let dueKeys = 0
  for (let i = 0; i < keys; i++) {
    const isDue = i >= nextDue
    if (isDue) {
      nextDue += every
      dueKeys += 1
    }
    const key = `folder-${i % 1000}/${String(i).padStart(8, '0')}`
    // Of every other key that is due the current version is, and of the rest the one below it.
    const ages = !isDue
      ? youngAges(i)
      : dueKeys % 2 === 0
        ? { old: 1.5 * dueDays, current: 1.4 * dueDays }
        : { old: 50 * dueDays, current: 2 }
    const [first, second] = [nowMs - ages.old * dayMs, nowMs - ages.current * dayMs].map(Math.floor) as [number, number] // two of two
    const isExpiring = isDue && dueKeys % 2 === 0
    clockMs.ms = first
    yield versionOf({
      key,
      id: ids.issue(),
      isLatest: false,
      lastModifiedMs: first,
      sinceMs: isExpiring ? nowMs - dayMs : isDue ? nowMs - 2 * dueDays * dayMs : second,
    })
    clockMs.ms = second
    yield versionOf({ key, id: ids.issue(), isLatest: true, lastModifiedMs: second, sinceMs: second })
  }
}

/** Between three and twenty days. */
function youngAges(i: number): { readonly old: number; readonly current: number } {
  const current = 3 + (17 * (i % 9973)) / 9973
  return { old: current + 0.5, current }
}

function versionOf(of: Pick<ObjectVersion, 'key' | 'id' | 'isLatest' | 'lastModifiedMs' | 'sinceMs'>): ObjectVersion {
  const untouched = { stamp: of.id, value: [] }
  return {
    ...of,
    bucketId,
    isNull: false,
    isDeleteMarker: false,
    size: 4096,
    etag: 'd41d8cd98f00b204e9800998ecf8427e',
    storageClass: 'STANDARD',
    blob: `s00000001-0000000000000001.${of.id}`,
    record: { ownerId: 'owner', system: { contentType: 'application/octet-stream' }, user: [], tags: untouched, acl: untouched },
    seq: 0,
  }
}
