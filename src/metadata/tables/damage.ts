/** Versions whose content is not what was written: found by the scrubber or by compaction, given to nobody, until it reads well again. */
import type { ObjectVersion } from '../../model/version.ts'
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, text } from './columns.ts'
import { type VersionPlace, versionByOrderedId } from './version-rows.ts'

/** One broken blob. */
export interface BlobDamage {
  readonly blob: string
  /** 0: the version's one blob. */
  readonly part: number
  readonly reason: string
}

/** Marks a version, if it still refers to what is broken. @returns whether it does */
function* markDamaged(
  input: VersionPlace & { readonly damages: readonly BlobDamage[] },
  { seq, nowMs }: TransactionContext,
): Steps<{ readonly isMarked: boolean }> {
  const version = yield* versionByOrderedId(input.bucketId, input.key, input.id)
  if (version === undefined) return { isMarked: false }
  let isMarked = false
  for (const damage of input.damages) {
    if ((yield* blobAt(version, damage.part)) !== damage.blob) continue
    isMarked = true
    yield statement(
      `INSERT INTO damage (bucket_id, key, version_id, part, reason, found_ms, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
       ON CONFLICT (bucket_id, key, version_id, part) DO UPDATE SET reason = excluded.reason, seq = excluded.seq`,
      version.bucketId,
      version.key,
      version.id,
      damage.part,
      damage.reason,
      nowMs,
      seq,
    )
  }
  if (isMarked) yield* setDamaged(version, 1, seq)
  return { isMarked }
}

/** Takes the mark from a version that reads well. */
function* clearDamage(input: VersionPlace, { seq }: TransactionContext): Steps<void> {
  yield* forgetDamage(input)
  yield* setDamaged(input, 0, seq)
}

/** Part of removing a version. */
export function* forgetDamage(of: VersionPlace): Steps<void> {
  yield statement('DELETE FROM damage WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3', of.bucketId, of.key, of.id)
}

export const damageTransactions = { markDamaged, clearDamage } as const

function* setDamaged(of: VersionPlace, value: 0 | 1, seq: number): Steps<void> {
  yield statement(
    'UPDATE versions SET is_damaged = ?4, seq = ?5 WHERE bucket_id = ?1 AND key = ?2 AND id = ?3',
    of.bucketId,
    of.key,
    of.id,
    value,
    seq,
  )
}

function* blobAt({ blob, blobSet }: ObjectVersion, part: number): Steps<string | undefined> {
  if (part === 0 || blobSet === undefined) return blob
  const [row] = yield statement('SELECT blob, seq FROM parts WHERE blob_set = ?1 AND number = ?2', blobSet, part)
  return row === undefined ? undefined : text(row.blob)
}

/** What is broken of one version, and since when it is known. */
export interface Damage extends VersionPlace {
  readonly bucket: string
  readonly isNull: boolean
  /** Undefined: the version was not made of parts. */
  readonly part: number | undefined
  readonly reason: string
  readonly foundMs: number
}

/** Known damage, in the order of versions. */
export function* damages(page: {
  readonly after: VersionPlace & { readonly part: number }
  readonly limit: number
}): Steps<readonly Damage[]> {
  const { after, limit } = page
  const rows = yield statement(
    `SELECT damage.bucket_id, damage.key, damage.version_id, damage.part, damage.reason, damage.found_ms, buckets.name AS bucket, versions.is_null
     FROM damage JOIN buckets ON buckets.id = damage.bucket_id
       JOIN versions ON versions.bucket_id = damage.bucket_id AND versions.key = damage.key AND versions.id = damage.version_id
     WHERE (damage.bucket_id, damage.key, damage.version_id, damage.part) > (?1, ?2, ?3, ?4)
     ORDER BY damage.bucket_id, damage.key, damage.version_id, damage.part LIMIT ?5`,
    after.bucketId,
    after.key,
    after.id,
    after.part,
    limit,
  )
  return rows.map((row) => ({
    bucketId: text(row.bucket_id),
    bucket: text(row.bucket),
    key: text(row.key),
    id: text(row.version_id),
    isNull: row.is_null === 1,
    part: row.part === 0 ? undefined : number(row.part),
    reason: text(row.reason),
    foundMs: number(row.found_ms),
  }))
}
