/** A region whose days pass when a test says so, and short words for lifecycle rules. */

import { HybridClock } from '../../../src/lib/hybrid-clock.ts'
import { passSteps } from '../../../src/lifecycle/pass.ts'
import { withMarkerIds } from '../../../src/lifecycle/propose.ts'
import type { Metadata } from '../../../src/metadata/engine.ts'
import type { Statement } from '../../../src/metadata/steps.ts'
import { bucketById } from '../../../src/metadata/tables/buckets.ts'
import type { Delivery } from '../../../src/metadata/tables/deliveries.ts'
import { configurationName } from '../../../src/metadata/tables/lifecycle-marks.ts'
import type { Bucket, VersioningState } from '../../../src/model/bucket.ts'
import type { LifecycleConfiguration, LifecycleRule } from '../../../src/model/lifecycle.ts'
import type { VersionRecord } from '../../../src/model/version.ts'
import { newVersion, openRegion, type Region } from './region.ts'

export const dayMs = 24 * 3600 * 1000
/** Where the clock stands first: in the middle of a day. */
export const firstMs = Date.UTC(2026, 0, 10, 12)

export interface Aging {
  readonly region: Region
  readonly bucket: Bucket
  readonly metadata: Metadata
  readonly clock: { nowMs(): number }
  /** Lets days pass, parts of them too. */
  days(count: number): void
  rules(...rules: readonly Partial<LifecycleRule>[]): Promise<void>
  /** Gives the bucket Object Lock. */
  lock(): Promise<void>
  /** A whole pass over the bucket. */
  pass(): Promise<void>
  /** What was put off and is due. */
  again(): Promise<void>
  put(key: string, record?: Partial<VersionRecord>): Promise<string>
  delete(key: string, versionId?: string): Promise<void>
  receive(key: string, changes?: Partial<Delivery>): Promise<string>
  /** Of a key, newest first: `marker`, or the version's id. */
  versions(key: string): Promise<readonly string[]>
  held(): Promise<readonly Record<string, unknown>[]>
}

/** @param watch  sees each statement of a transaction */
export async function openAging(versioning: VersioningState = 'Enabled', watch?: (statement: Statement) => void): Promise<Aging> {
  let nowMs = firstMs
  let elapsedMs = 0
  const clock = { nowMs: () => nowMs, elapsedMs: () => elapsedMs }
  const ids = new HybridClock({ clock, region: 'us-east-1' })
  const region = { ...(await openRegion('us-east-1', watch, clock)), ids }
  const { metadata } = region
  const bucket = await region.bucket('aging')
  const { id: bucketId } = bucket
  if (versioning !== 'Unversioned') await metadata.commit({ tx: 'setVersioning', bucketId, versioning })
  const standing = async (): Promise<Bucket> => (await metadata.read(() => bucketById(bucketId))) ?? bucket
  return {
    region,
    bucket,
    metadata,
    clock,
    days(count) {
      const passedMs = Math.floor(count * dayMs)
      nowMs += passedMs
      elapsedMs += Math.max(0, passedMs)
    },
    async rules(...rules) {
      const value = rulesOf(...rules)
      await metadata.commit({ tx: 'setBucketSetting', bucketId, name: 'lifecycle', value })
    },
    lock: () => metadata.commit({ tx: 'setBucketSetting', bucketId, name: 'objectLock', value: {} }),
    async pass() {
      const now = await standing()
      const rules = now.settings.lifecycle
      if (rules === undefined) throw new Error('the bucket has no rules')
      const of = { bucket: now, rules, configuration: configurationName(rules), dueMs: Math.floor(nowMs / dayMs) * dayMs }
      for await (const _ of passSteps({ metadata, ids, clock, dayMs }, of));
    },
    async again() {
      await withMarkerIds(ids, (given) => metadata.commit({ tx: 'applyLifecycleAgain', dayMs, ...given }))
    },
    async put(key, record = {}) {
      const id = ids.issue()
      const made = newVersion(bucket, key, { id })
      await region.put(bucket, key, { id, record: { ...made.record, ...record } })
      return id
    },
    async delete(key, versionId) {
      if (versionId === undefined) await metadata.commit({ tx: 'deleteObject', bucketId, key, id: ids.issue(), ownerId: 'owner' })
      else await metadata.commit({ tx: 'deleteVersion', bucketId, key, versionId })
    },
    async receive(key, changes = {}) {
      const { lastModifiedMs = nowMs } = changes
      const id = changes.id ?? new HybridClock({ clock: { nowMs: () => lastModifiedMs }, region: 'eu-west-1' }).issue()
      await metadata.commit({ tx: 'receiveVersions', deliveries: [delivery(bucket, { key, id, lastModifiedMs: nowMs, ...changes })] })
      return id
    },
    async versions(key) {
      const rows = await region.rows('SELECT id, is_marker FROM versions WHERE bucket_id = ?1 AND key = ?2 ORDER BY id', bucketId, key)
      return rows.map((row) => (row['is_marker'] === 1 ? 'marker' : String(row['id'])))
    },
    held: () => region.rows('SELECT key, due_ms, reason FROM lifecycle_again WHERE reason IS NOT NULL ORDER BY key'),
  }
}

export function rulesOf(...rules: readonly Partial<LifecycleRule>[]): LifecycleConfiguration {
  return {
    Rule: rules.map((rule, i) => ({ ID: `rule-${i}`, Status: 'Enabled', Filter: {}, ...rule })),
    transitionDefaultMinimumObjectSize: 'varies_by_storage_class',
  }
}

function delivery(bucket: Bucket, of: Pick<Delivery, 'key' | 'id' | 'lastModifiedMs'> & Partial<Delivery>): Delivery {
  return {
    sourceRegion: 'eu-west-1',
    sourceBucket: 'source',
    bucketId: bucket.id,
    isDeleteMarker: false,
    size: 3,
    etag: 'abc',
    storageClass: 'STANDARD',
    record: {
      ownerId: 'owner',
      system: { contentType: 'text/plain' },
      user: [],
      tags: { stamp: of.id, value: [] },
      acl: { stamp: of.id, value: [] },
    },
    content: { kind: 'blob', blob: `blob ${of.id}` },
    ...of,
  }
}
