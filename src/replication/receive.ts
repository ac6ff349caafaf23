/**
 * The destination's side: "make these versions equal", each judged, stored, read back and committed, and acknowledged by itself.
 * Nothing is visible before its commit, and content that no commit took is removed.
 */
import { BlobIoError, DiskFull } from '../blobs/errors.ts'
import { ClockTooFarAhead } from '../lib/hybrid-clock.ts'
import type { Delivery, DeliveryOutcome } from '../metadata/tables/deliveries.ts'
import { partsOf } from '../metadata/tables/uploads.ts'
import { versionByOrderedId } from '../metadata/tables/version-rows.ts'
import { S3Error } from '../model/errors.ts'
import { partNumberMax } from '../model/limits.ts'
import { type FailureReason, failureClass, failureText } from '../model/replication-reasons.ts'
import { needsRestore } from '../model/storage-class.ts'
import { tierOfRef } from '../model/tier-refs.ts'
import type { ObjectVersion } from '../model/version.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { dropUncommitted } from '../objects/put.ts'
import { ContentGone } from '../objects/read.ts'
import { type JudgedLink, judgeLinks, judgeVersion, type KnownLink, ownedAs } from './judge.ts'
import { type IncomingContent, proofByRows, proveStanding, ReadBackMismatch, type StoredContent, storeIncoming } from './store-content.ts'
import type { Acknowledgement, FrameHead, WireVersion } from './wire.ts'

export interface ReceiveParts {
  readonly objects: ObjectParts
  readonly self: string
  /** This region's place in the control log. */
  readonly controlPosition: () => Promise<number>
  readonly clock: { nowMs(): number }
}

export interface Received {
  readonly from: string
  readonly head: FrameHead
  /** One for each version of the head; undefined where no content follows. */
  readonly contents: readonly (IncomingContent | undefined)[]
  /** After the last content was read, before anything is committed. */
  readonly end?: () => Promise<void>
  readonly signal: AbortSignal
}

/** Deliveries of one command: the event loop is not held for longer than it takes to commit these. */
const commandMaxDeliveries = 64

/** What is known of one delivery on its way: how it was answered already, or what is to be committed. */
type Step =
  | { readonly kind: 'answered'; readonly acknowledgement: Acknowledgement }
  /** `stored`: absent when no content came, or when it was here before. */
  | { readonly kind: 'commit'; readonly version: WireVersion; readonly delivery: Delivery; readonly stored: StoredContent | undefined }

/** @returns one for each version, in order */
export async function receive(parts: ReceiveParts, received: Received): Promise<readonly Acknowledgement[]> {
  const { head } = received
  const whole = await wholeFault(parts, received)
  if (whole !== undefined) return head.versions.map(() => whole)
  const links = await judgeLinks(parts.objects.metadata, { from: received.from, links: head.links })
  const standing = await findStanding(parts.objects, received, links)
  const steps = await prepareAll(parts, received, { links, standing })
  try {
    // A body whose content was refused is not read on.
    if (steps.some((step) => step.kind === 'commit' && step.stored !== undefined)) await received.end?.()
  } catch (error) {
    await parts.objects.blobs.remove(steps.flatMap(refsOf))
    throw error
  }
  return await commitAll(parts, received, inOrder(head, steps))
}

/** What stands in the way of the whole batch, and passes. */
async function wholeFault(parts: ReceiveParts, { head }: Received): Promise<Acknowledgement | undefined> {
  const { objects, self, controlPosition } = parts
  const behind = head.controlPosition - (await controlPosition())
  if (behind > 0) return failed('DstBehind', `Region ${self} still lacks ${behind} rows of the control log.`)
  return objects.metadata.status().state === 'full' ? failed('DstOutOfCapacity') : undefined
}

/** Learns of a version's stamps. One from too far ahead concerns nobody but its version. */
function clockFault({ objects, self }: ReceiveParts, from: string, { id, record }: WireVersion): Acknowledgement | undefined {
  try {
    for (const stamp of new Set([id, record.tags.stamp, record.acl.stamp, record.retention?.stamp ?? id, record.legalHold?.stamp ?? id]))
      objects.ids.observe(stamp)
    return undefined
  } catch (error) {
    if (!(error instanceof ClockTooFarAhead)) throw error
    return failed('SrcClockAhead', `Region ${self} does not take it yet: of region ${from}, the ${error.message}.`)
  }
}

/** The versions that are here already, by their place in the batch: their content is not written again. */
function findStanding(
  { metadata }: ObjectParts,
  { head }: Received,
  links: readonly JudgedLink[],
): Promise<ReadonlyMap<number, ObjectVersion>> {
  return metadata.read(function* () {
    const found = new Map<number, ObjectVersion>()
    for (const [index, { link, key, id, content }] of head.versions.entries()) {
      const judged = links[link]
      if (content.kind === 'none' || judged?.kind !== 'known') continue
      const version = yield* versionByOrderedId(judged.destination.id, key, id)
      if (version !== undefined) found.set(index, version)
    }
    return found
  })
}

async function prepareAll(
  parts: ReceiveParts,
  received: Received,
  known: { readonly links: readonly JudgedLink[]; readonly standing: ReadonlyMap<number, ObjectVersion> },
): Promise<readonly Step[]> {
  const prepared = await Promise.allSettled(
    received.head.versions.map((version, index) =>
      prepare(parts, received, {
        version,
        link: known.links[version.link],
        isStanding: known.standing.has(index),
        incoming: received.contents[index],
      }),
    ),
  )
  const refused = prepared.find((one) => one.status === 'rejected')
  const steps = prepared.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  if (refused === undefined) return steps
  await parts.objects.blobs.remove(steps.flatMap(refsOf))
  throw refused.reason
}

async function prepare(
  parts: ReceiveParts,
  { from, signal }: Received,
  of: {
    readonly version: WireVersion
    readonly link: JudgedLink | undefined
    readonly isStanding: boolean
    readonly incoming: IncomingContent | undefined
  },
): Promise<Step> {
  const { version, link } = of
  if (link === undefined) throw new S3Error('InvalidRequest')
  if (link.kind === 'refused') return answered(failed(link.reason))
  const fault = clockFault(parts, from, version)
  if (fault !== undefined) return answered(fault)
  const verdict = judgeVersion(link, version, parts.clock.nowMs())
  if (!verdict.allowed) return answered(failed(verdict.reason))
  const base = { from, version, link, dropTags: verdict.dropTags }
  const isMarker = version.content.kind === 'marker'
  if (of.isStanding || (of.incoming === undefined && !isMarker)) {
    return { kind: 'commit', version, delivery: deliveryOf(parts.objects, base, undefined), stored: undefined }
  }
  try {
    const incoming = of.incoming ?? noContent
    const stored = await storeIncoming(parts.objects, { bucket: link.destination, version, incoming, signal })
    return { kind: 'commit', version, delivery: deliveryOf(parts.objects, base, stored), stored }
  } catch (error) {
    const acknowledgement = faultOf(error)
    if (acknowledgement === undefined) throw error
    return answered(acknowledgement)
  }
}

/** A fault of one version's own; the others of its batch are not concerned. */
function faultOf(error: unknown): Acknowledgement | undefined {
  if (error instanceof ReadBackMismatch) return failed('DstChecksumMismatch', error.message)
  if (error instanceof DiskFull) return failed('DstOutOfCapacity', error.message)
  if (error instanceof BlobIoError) return failed('DstUnreachable', `The disk of the destination refused: ${error.message}`)
  if (error instanceof ContentGone) return failed('DstVersionNotFound')
  return undefined
}

const noContent: IncomingContent = { next: () => Buffer.alloc(0) }

function deliveryOf(
  { tiers }: Pick<ObjectParts, 'tiers'>,
  {
    from,
    version,
    link,
    dropTags,
  }: { readonly from: string; readonly version: WireVersion; readonly link: KnownLink; readonly dropTags: boolean },
  stored: StoredContent | undefined,
): Delivery {
  const { system, user, checksum, tags, retention, legalHold } = version.record
  const encryption = stored?.encryption
  return {
    sourceRegion: from,
    sourceBucket: link.sourceBucket,
    bucketId: link.destination.id,
    key: version.key,
    id: version.id,
    isDeleteMarker: version.isDeleteMarker,
    size: version.size,
    lastModifiedMs: version.lastModifiedMs,
    etag: version.etag,
    storageClass: version.storageClass,
    isFromLocked: link.isFromLocked,
    record: {
      ...ownedAs(link, version),
      system,
      user,
      // Dropped tags carry the oldest stamp, so that they undo none that stand.
      tags: dropTags ? { stamp: version.id, value: [] } : tags,
      ...(checksum === undefined ? {} : { checksum }),
      ...(retention === undefined ? {} : { retention }),
      ...(legalHold === undefined ? {} : { legalHold }),
      ...(encryption === undefined ? {} : { encryption }),
    },
    leaves: tiers.tierFor(version.storageClass) !== undefined,
    ...(stored === undefined ? {} : { content: stored.content }),
  }
}

/** A key's versions arrive in their order: what stands behind one that met a passing fault waits with it. A refused one yields. */
function inOrder({ links, versions }: FrameHead, steps: readonly Step[]): readonly (Step | Waiting)[] {
  const faulty = new Set<string>()
  return steps.map((step, index) => {
    const { link, key } = versions[index] ?? { link: 0, key: '' }
    // Two rules may lead to one bucket. Ids have no spaces.
    const chain = `${links[link]?.destination.id} ${key}`
    if (faulty.has(chain)) return { kind: 'waits', step }
    if (step.kind === 'answered' && isPassing(step.acknowledgement)) faulty.add(chain)
    return step
  })
}

interface Waiting {
  readonly kind: 'waits'
  readonly step: Step
}

function isPassing(acknowledgement: Acknowledgement): boolean {
  return acknowledgement.kind === 'failed' && failureClass(acknowledgement.reason) === 'transient'
}

async function commitAll(parts: ReceiveParts, received: Received, steps: readonly (Step | Waiting)[]): Promise<readonly Acknowledgement[]> {
  const toCommit = steps.filter((step) => step.kind === 'commit')
  const outcomes = await commitDeliveries(parts, toCommit)
  const isUsed = (step: Step | Waiting): boolean => step.kind === 'commit' && outcomes.get(step) === 'stored'
  await parts.objects.blobs.remove(
    steps.filter((step) => !isUsed(step)).flatMap((step) => refsOf(step.kind === 'waits' ? step.step : step)),
  )
  return await Promise.all(
    steps.map(async (step): Promise<Acknowledgement> => {
      switch (step.kind) {
        case 'answered':
          return step.acknowledgement
        case 'waits':
          return { kind: 'behindFault' }
        case 'commit':
          return await acknowledge(parts.objects, step, { outcome: outcomes.get(step), signal: received.signal })
        default:
          return step satisfies never
      }
    }),
  )
}

type Commit = Step & { kind: 'commit' }

/**
 * NOTE: commands are committed in the order of the calls.
 * @throws what any of the commands was refused with, when the others are done and what belongs to nobody is removed
 */
async function commitDeliveries(
  { objects }: ReceiveParts,
  steps: readonly Commit[],
): Promise<ReadonlyMap<Step | Waiting, DeliveryOutcome>> {
  const commands: Promise<readonly DeliveryOutcome[]>[] = []
  for (let at = 0; at < steps.length; at += commandMaxDeliveries) {
    const deliveries = steps.slice(at, at + commandMaxDeliveries).map(({ delivery }) => delivery)
    commands.push(objects.metadata.commit({ tx: 'receiveVersions', deliveries }))
  }
  const settled = await Promise.allSettled(commands)
  const outcomes = new Map<Step | Waiting, DeliveryOutcome>()
  for (const [index, step] of steps.entries()) {
    const command = settled[Math.floor(index / commandMaxDeliveries)]
    const outcome = command?.status === 'fulfilled' ? command.value[index % commandMaxDeliveries] : undefined
    if (outcome !== undefined) outcomes.set(step, outcome)
  }
  const refused = settled.find((one) => one.status === 'rejected')
  if (refused === undefined) return outcomes
  await dropUncommitted(objects, steps.filter((step) => outcomes.get(step) !== 'stored').flatMap(refsOf))
  throw refused.reason
}

async function acknowledge(
  objects: ObjectParts,
  step: Commit,
  { outcome, signal }: { readonly outcome: DeliveryOutcome | undefined; readonly signal: AbortSignal },
): Promise<Acknowledgement> {
  if (outcome === undefined) throw new Error('a delivery was committed without an outcome')
  if (typeof outcome === 'object') return failed(outcome.refused)
  switch (outcome) {
    case 'stored':
      return step.stored === undefined ? failed('DstVersionNotFound') : { kind: 'stands', proof: step.stored.proof }
    case 'merged':
      return await acknowledgeStanding(objects, step, signal)
    case 'missing':
      return { kind: 'missing' }
    case 'purged':
      return { kind: 'purged' }
    default:
      return outcome satisfies never
  }
}

/** What was here before proves itself by its own bytes; changed attributes bring no content, so that the rows may speak. */
async function acknowledgeStanding(objects: ObjectParts, { version, delivery }: Commit, signal: AbortSignal): Promise<Acknowledgement> {
  const standing = await objects.metadata.read(() => versionByOrderedId(delivery.bucketId, delivery.key, delivery.id))
  if (standing === undefined) return { kind: 'purged' }
  try {
    const isByRows = version.content.kind === 'none' || (standing.isDamaged !== true && (await isArchived(objects, standing)))
    return { kind: 'stands', proof: isByRows ? await proofByRows(objects, standing) : await proveStanding(objects, standing, signal) }
  } catch (error) {
    const acknowledgement = faultOf(error)
    if (acknowledgement === undefined) throw error
    return acknowledgement
  }
}

/** It was read back when it arrived, and again when it was moved; to read it once more would need a restore. */
async function isArchived({ metadata }: ObjectParts, { storageClass, blob, blobSet }: ObjectVersion): Promise<boolean> {
  if (needsRestore(storageClass)) return true
  const parts = blobSet === undefined ? [] : await metadata.read(() => partsOf(blobSet, { afterNumber: 0, limit: partNumberMax }))
  return [blob, ...parts.map((part) => part.blob)].some((ref) => tierOfRef(ref ?? '') !== undefined)
}

function answered(acknowledgement: Acknowledgement): Step {
  return { kind: 'answered', acknowledgement }
}

function failed(reason: FailureReason, message = failureText(reason)): Acknowledgement {
  return { kind: 'failed', reason, message: message.slice(0, 2048) }
}

function refsOf(step: Step): readonly string[] {
  return step.kind === 'commit' ? (step.stored?.refs ?? []) : []
}
