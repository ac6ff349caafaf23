/** What one region says to another about versions: the messages, their limits, and how they are read strictly. */
import { z } from 'zod'
import { isOrderedId } from '../lib/hybrid-clock.ts'
import { dateMaxMs, grantsMax, objectMaxBytes, objectTagsMax, partMaxBytes, partNumberMax } from '../model/limits.ts'
import { retentionModes } from '../model/object-lock.ts'
import { type FailureReason, failureReasons } from '../model/replication-reasons.ts'
import { storageClasses } from '../model/storage-class.ts'

export const batchPath = 'v1/replication/batch'
export const versionPath = 'v1/replication/version'
/** Present and `zstd` when the frame of a batch travels compressed. */
export const encodingHeader = 'x-farshore-encoding'
/** SHA-256 of a stream's head, lower-case hex: the signature covers this header, and so the head. The content proves itself by its checksums. */
export const headDigestHeader = 'x-farshore-head-sha256'

/** A frame before compression; also what a request may sign. */
export const frameMaxBytes = 8 * 1024 * 1024
/** Versions of one batch: what the destination commits in a few short transactions. */
export const batchMaxVersions = 512
/** Content up to this travels in batches; above, alone and streamed. */
export const smallContentMaxBytes = 1024 * 1024
/** A head with 10,000 parts, each with ETag and SHA-256, has about 2 MiB. */
export const headMaxBytes = 4 * 1024 * 1024
/** One link a rule and destination; a batch of 512 cannot have more. */
const linksMax = batchMaxVersions

const orderedId = z.string().refine(isOrderedId, 'no ordered id')
/** One header may be all that S3 allows of headers: 8 KiB. */
const headerText = z
  .string()
  .max(8 * 1024)
  // NOTE: a tab may stand in a header; every other control character would end or break it.
  .refine((text) => !/\p{Cc}/u.test(text.replaceAll('\t', '')), 'a control character')
const name = z.string().min(1).max(255)
const count = z.int().min(0)
const time = count.max(dateMaxMs)
const checksum = z.strictObject({
  algorithm: z.enum(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']),
  type: z.enum(['COMPOSITE', 'FULL_OBJECT']),
  value: z.string().min(1).max(64),
})
const tag = z.strictObject({ Key: z.string().max(128), Value: z.string().max(256) })
const grant = z.strictObject({
  Grantee: z.discriminatedUnion('Type', [
    z.strictObject({ Type: z.literal('CanonicalUser'), ID: name }),
    z.strictObject({ Type: z.literal('Group'), URI: name }),
  ]),
  Permission: z.enum(['FULL_CONTROL', 'READ', 'WRITE', 'READ_ACP', 'WRITE_ACP']),
})
const system = z.strictObject({
  contentType: headerText,
  cacheControl: headerText.exactOptional(),
  contentDisposition: headerText.exactOptional(),
  contentEncoding: headerText.exactOptional(),
  contentLanguage: headerText.exactOptional(),
  expires: headerText.exactOptional(),
  websiteRedirectLocation: headerText.exactOptional(),
})
const part = z.strictObject({
  number: z.int().min(1).max(partNumberMax),
  size: count.max(partMaxBytes),
  etag: z.string().min(1).max(64),
  lastModifiedMs: time,
  checksum: checksum.exactOptional(),
})

export const wireLink = z.strictObject({
  /** `hasLock`: Object Lock, without which the destination takes nothing of it. */
  source: z.strictObject({ id: name, name, hasLock: z.literal(true).exactOptional() }),
  destination: z.strictObject({ id: name, name }),
  ruleId: z.string().max(255),
  /** ARN. */
  role: z.string().max(2048),
  /** The account that must own the destination, where the rule names one. */
  account: z
    .string()
    .regex(/^[0-9]{12}$/)
    .exactOptional(),
  /** Whose the replicas are: `destination` is the rule's AccessControlTranslation. */
  owner: z.enum(['source', 'destination']),
})

const wireVersion = z.strictObject({
  /** Which of the batch's links it travels by. */
  link: count,
  key: z
    .string()
    .min(1)
    .max(1024)
    .refine((key) => !key.includes('\0') && key.isWellFormed(), 'no key'),
  id: orderedId,
  isDeleteMarker: z.boolean(),
  size: count.max(objectMaxBytes),
  lastModifiedMs: time,
  etag: z.string().max(64),
  storageClass: z.enum(storageClasses),
  record: z.strictObject({
    ownerId: name,
    system,
    user: z.array(z.tuple([z.string().max(2048), z.string().max(2048)])).max(2048),
    checksum: checksum.exactOptional(),
    isEncrypted: z.boolean(),
    tags: z.strictObject({ stamp: orderedId, value: z.array(tag).max(objectTagsMax) }),
    acl: z.strictObject({ stamp: orderedId, value: z.array(grant).max(grantsMax) }),
    /** Absent: never set. */
    retention: z
      .strictObject({ stamp: orderedId, value: z.strictObject({ mode: z.enum(retentionModes), untilMs: time }).nullable() })
      .exactOptional(),
    legalHold: z.strictObject({ stamp: orderedId, value: z.boolean() }).exactOptional(),
  }),
  /**
   * `none`: only attributes have changed. `probe`: the content would be sent, if it is not there yet. Otherwise it follows, its parts
   * one behind the other.
   */
  content: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('probe') }),
    z.strictObject({ kind: z.literal('marker') }),
    z.strictObject({ kind: z.literal('blob') }),
    z.strictObject({ kind: z.literal('parts'), parts: z.array(part).min(1).max(partNumberMax) }),
  ]),
})

export const frameHead = z.strictObject({
  /** The source's place in the control log: what the destination must know before it judges. */
  controlPosition: count,
  links: z.array(wireLink).min(1).max(linksMax),
  versions: z.array(wireVersion).min(1).max(batchMaxVersions),
})

export type WireLink = z.output<typeof wireLink>
export type WireVersion = z.output<typeof wireVersion>
export type WirePart = z.output<typeof part>
export type FrameHead = z.output<typeof frameHead>

/** Bytes that follow for a version. */
export function contentBytesOf(version: Pick<WireVersion, 'content' | 'size'>): number {
  return version.content.kind === 'blob' || version.content.kind === 'parts' ? version.size : 0
}

// Object.keys gives the table's own names, and says only that they are text.
const reason = z.enum(Object.keys(failureReasons) as FailureReason[])
const acknowledgement = z.discriminatedUnion('kind', [
  /** It stands at the destination, and what was read back from the disk there has this proof. */
  z.strictObject({ kind: z.literal('stands'), proof: z.string().max(256) }),
  /** Attributes came, or a probe, and the destination does not have the version. */
  z.strictObject({ kind: z.literal('missing') }),
  /** It was there, and somebody deleted it for good. */
  z.strictObject({ kind: z.literal('purged') }),
  z.strictObject({ kind: z.literal('failed'), reason, message: z.string().max(2048) }),
  /** An earlier version of the key met a fault that passes, and order is kept. */
  z.strictObject({ kind: z.literal('behindFault') }),
])

export type Acknowledgement = z.output<typeof acknowledgement>

/** One for each version, in the order in which they were sent. */
export const batchAnswer = z.object({ acknowledgements: z.array(acknowledgement).max(batchMaxVersions) })
export type BatchAnswer = z.output<typeof batchAnswer>
