/** How many versions stand in a bucket that a configuration would choose if they were written now: they stay behind unless they are asked for. */
import type { Metadata } from '../metadata/engine.ts'
import { versionsAfter } from '../metadata/tables/version-rows.ts'
import type { ReplicationConfiguration } from '../model/replication-configuration.ts'
import { rulesFor } from '../model/replication-rules.ts'

export interface ExistingVersions {
  readonly versions: number
  readonly bytes: number
  /** Whether all of the bucket was looked at; else there may be more. */
  readonly isWhole: boolean
}

const scanMax = 20_000
const pageRows = 500

export async function existingVersions(
  metadata: Metadata,
  { bucketId, configuration }: { readonly bucketId: string; readonly configuration: ReplicationConfiguration },
): Promise<ExistingVersions> {
  let versions = 0
  let bytes = 0
  let place = { bucketId, key: '', id: '' }
  for (let scanned = 0; scanned < scanMax; scanned += pageRows) {
    const from = place
    const rows = (await metadata.read(() => versionsAfter(from, pageRows))).filter((version) => version.bucketId === bucketId)
    for (const { key, size, isDeleteMarker, record, replication } of rows) {
      if (isDeleteMarker || replication !== undefined) continue
      if (rulesFor(configuration, { key, tags: record.tags.value }).length === 0) continue
      versions += 1
      bytes += size
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageRows) return { versions, bytes, isWhole: true }
    place = last
  }
  return { versions, bytes, isWhole: false }
}
