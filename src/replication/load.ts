/** The source's side of a delivery: from tasks to messages, with the rows and bytes as they are now. */
import { BlobCorrupt, BlobMissing } from '../blobs/errors.ts'
import type { Steps } from '../metadata/steps.ts'
import { bucketById } from '../metadata/tables/buckets.ts'
import { nameOf } from '../metadata/tables/control.ts'
import { principalIds } from '../metadata/tables/identities.ts'
import type { Task } from '../metadata/tables/tasks.ts'
import { partsOf } from '../metadata/tables/uploads.ts'
import { versionByOrderedId } from '../metadata/tables/version-rows.ts'
import { bucketArn } from '../model/arn.ts'
import type { Bucket, BucketName, ReplicationDestination } from '../model/bucket.ts'
import { partNumberMax } from '../model/limits.ts'
import { readBucketPolicy } from '../model/policy-bucket.ts'
import type { PolicyDocument } from '../model/policy-document.ts'
import type { FailureReason } from '../model/replication-reasons.ts'
import { needsRestore } from '../model/storage-class.ts'
import type { ObjectVersion, Part } from '../model/version.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { ContentDamaged, ContentGone, openContent } from '../objects/read.ts'
import { markerProof, proofOf, sumOfBlob, sumOfPart } from './proof.ts'
import { sourceRefusal } from './source-rights.ts'
import { contentBytesOf, type WireLink, type WireVersion } from './wire.ts'

/** A task with what its version is now. */
export interface Loaded {
  readonly task: Task
  readonly version: ObjectVersion
  /** Of a multipart version. */
  readonly layout: readonly Part[] | undefined
  readonly link: WireLink
}

/**
 * `gone`: the version was purged, and its task with it. `failed`: it cannot be sent as things are. `moved`: the destination's name is that of
 * another bucket now, and a configuration goes by names.
 */
export type Unsendable =
  | { readonly kind: 'gone'; readonly task: Task }
  | { readonly kind: 'failed'; readonly task: Task; readonly reason: FailureReason }
  | { readonly kind: 'moved'; readonly task: Task; readonly to: ReplicationDestination }

/** @returns in the order of the tasks */
export function loadRows(
  { metadata }: Pick<ObjectParts, 'metadata'>,
  { tasks, nowMs }: { readonly tasks: readonly Task[]; readonly nowMs: number },
): Promise<readonly (Loaded | Unsendable)[]> {
  return metadata.read(function* () {
    const known: Known = { buckets: new Map(), names: new Map(), policies: new Map(), roleIds: new Map(), nowMs }
    const loaded: (Loaded | Unsendable)[] = []
    for (const task of tasks) loaded.push(yield* loadRow(task, known))
    return loaded
  })
}

/** What the tasks of a batch have in common, read once. */
interface Known {
  readonly buckets: Map<string, Bucket | undefined>
  readonly names: Map<string, BucketName | undefined>
  /** Of source buckets. */
  readonly policies: Map<string, PolicyDocument | undefined>
  /** By ARN. */
  readonly roleIds: Map<string, string | undefined>
  readonly nowMs: number
}

function* loadRow(task: Task, { buckets, names, policies, roleIds, nowMs }: Known): Steps<Loaded | Unsendable> {
  if (!buckets.has(task.bucketId)) buckets.set(task.bucketId, yield* bucketById(task.bucketId))
  if (!names.has(task.destinationName)) names.set(task.destinationName, yield* nameOf(task.destinationName))
  const bucket = buckets.get(task.bucketId)
  const version = yield* versionByOrderedId(task.bucketId, task.key, task.versionId)
  if (bucket === undefined || version === undefined) return { kind: 'gone', task }
  const link = linkOf(bucket, task)
  if (link === undefined) return { kind: 'failed', task, reason: 'SrcBucketReplicationConfigMissing' }
  // A name that nobody has is the destination's to refuse.
  const named = names.get(task.destinationName)
  if (named !== undefined && named.id !== task.destination) {
    if (named.region === bucket.region) return { kind: 'failed', task, reason: 'DstBucketInvalidRegion' }
    return { kind: 'moved', task, to: { bucketId: named.id, region: named.region } }
  }
  if (!policies.has(bucket.id)) policies.set(bucket.id, readBucketPolicy(bucket))
  const policy = policies.get(bucket.id)
  const roleId = policy && (yield* roleIdOf(bucket, roleIds))
  const refusal = sourceRefusal({ bucket, roleId, policy, version, task, nowMs })
  if (refusal !== undefined) return { kind: 'failed', task, reason: refusal }
  // S3 replicates nothing that is archived; what was sent before it became so may still change its tags.
  if (task.isContent && needsRestore(version.storageClass)) return { kind: 'failed', task, reason: 'SrcObjectNotEligible' }
  const { blobSet } = version
  const layout = blobSet === undefined ? undefined : yield* partsOf(blobSet, { afterNumber: 0, limit: partNumberMax })
  return { task, version, layout, link }
}

function* roleIdOf({ settings }: Bucket, known: Known['roleIds']): Steps<string | undefined> {
  const arn = settings.replication?.configuration.Role ?? ''
  if (!known.has(arn)) known.set(arn, (yield* principalIds([arn]))[arn])
  return known.get(arn)
}

/** What the destination must be told for the source to count on the delivery: see `proof.ts`. */
export function expectedProof({ version, layout }: Pick<Loaded, 'version' | 'layout'>): string {
  if (version.isDeleteMarker) return markerProof
  return proofOf(layout === undefined ? [sumOfBlob(version)] : layout.map(sumOfPart))
}

/**
 * @param options.link  the link's place in the message
 * @param options.isProbe  asks for the content's place instead of sending it
 */
export function wireVersion({ task, version, layout }: Loaded, options: { readonly link: number; readonly isProbe: boolean }): WireVersion {
  const { system, user, checksum, tags, acl, ownerId, encryption, retention, legalHold } = version.record
  return {
    link: options.link,
    key: version.key,
    id: version.id,
    isDeleteMarker: version.isDeleteMarker,
    size: version.size,
    lastModifiedMs: version.lastModifiedMs,
    etag: version.etag,
    storageClass: task.storageClass === undefined || version.isDeleteMarker ? version.storageClass : storageClassOf(task),
    record: {
      ownerId,
      system,
      user: user.map(([name, value]) => [name, value]),
      isEncrypted: encryption !== undefined,
      tags: { stamp: tags.stamp, value: [...tags.value] },
      acl: { stamp: acl.stamp, value: [...acl.value] },
      ...(retention !== undefined && { retention }),
      ...(legalHold !== undefined && { legalHold }),
      ...(checksum === undefined ? {} : { checksum }),
    },
    content: wireContent({ task, version, layout }, options.isProbe),
  }
}

/**
 * The bytes that follow the message of a version: one buffer for what is small, a stream otherwise.
 * @throws ContentGone; BlobCorrupt | BlobMissing
 */
export async function openLoaded(parts: ObjectParts, { version }: Loaded, signal: AbortSignal): Promise<Buffer | AsyncIterable<Buffer>> {
  return await openContent(parts, version, { signal })
}

/** The same, gathered: for what is known to be small. A version whose bytes cannot be had says why. */
export async function readLoaded(parts: ObjectParts, loaded: Loaded, wire: WireVersion, signal: AbortSignal): Promise<Buffer | Unsendable> {
  const lengthBytes = contentBytesOf(wire)
  if (lengthBytes === 0) return Buffer.alloc(0)
  try {
    const content = await openLoaded(parts, loaded, signal)
    return Buffer.isBuffer(content) ? content : await gather(content, lengthBytes)
  } catch (error) {
    if (signal.aborted) throw error
    return unsendable(loaded.task, error)
  }
}

/** What an error while its bytes were read means for a version: one that cannot be read must not hold up those that travel with it. */
export function unsendable(task: Task, error: unknown): Unsendable {
  if (error instanceof ContentGone) return { kind: 'gone', task }
  const isRot = error instanceof BlobCorrupt || error instanceof BlobMissing || error instanceof ContentDamaged
  return { kind: 'failed', task, reason: isRot ? 'SrcChecksumMismatch' : 'SrcUnreadable' }
}

/** A task goes on as long as an enabled rule leads to its destination: the one that planned it, or another that took its place. */
function linkOf(bucket: Bucket, task: Task): WireLink | undefined {
  const { replication } = bucket.settings
  const arn = bucketArn(task.destinationName)
  const leading = replication?.configuration.Rule.filter((rule) => rule.Status === 'Enabled' && rule.Destination.Bucket === arn)
  const rule = leading?.find(({ ID }) => ID === task.ruleId) ?? leading?.[0]
  if (replication === undefined || rule === undefined) return undefined
  const { Account: account, AccessControlTranslation: translation } = rule.Destination
  return {
    source: { id: bucket.id, name: bucket.name, ...(bucket.settings.objectLock !== undefined && { hasLock: true as const }) },
    destination: { id: task.destination, name: task.destinationName },
    ruleId: task.ruleId,
    role: replication.configuration.Role,
    owner: translation === undefined ? 'source' : 'destination',
    ...(account !== undefined && { account }),
  }
}

function wireContent({ task, version, layout }: Omit<Loaded, 'link'>, isProbe: boolean): WireVersion['content'] {
  if (!task.isContent) return { kind: 'none' }
  if (version.isDeleteMarker) return { kind: 'marker' }
  if (isProbe) return { kind: 'probe' }
  if (layout === undefined) return { kind: 'blob' }
  return {
    kind: 'parts',
    parts: layout.map(({ number, size, etag, lastModifiedMs, checksum }) => ({
      number,
      size,
      etag,
      lastModifiedMs,
      ...(checksum === undefined ? {} : { checksum }),
    })),
  }
}

/** The rule's override was checked when the configuration was put. */
function storageClassOf({ storageClass }: Task): WireVersion['storageClass'] {
  return storageClass as WireVersion['storageClass']
}

async function gather(content: AsyncIterable<Buffer>, lengthBytes: number): Promise<Buffer> {
  const gathered = Buffer.allocUnsafe(lengthBytes)
  let filled = 0
  for await (const piece of content) filled += piece.copy(gathered, filled)
  if (filled !== lengthBytes) throw new Error(`content of ${lengthBytes} bytes gave ${filled}`)
  return gathered
}
