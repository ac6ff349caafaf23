/** The form of what regions say to each other about the control log. */
import { z } from 'zod'
import type { ControlChange, ControlRow } from '../metadata/tables/control.ts'
import type { BucketName, BucketSettings } from '../model/bucket.ts'
import { identityChangeSchema } from './identity-messages.ts'

/** S3 keeps names below this; here they are only kept from being endless. */
const word = z.string().min(1).max(512)
const time = z.int().min(0)

const bucketNameSchema: z.ZodType<BucketName> = z.strictObject({ name: word, id: word, region: word, ownerId: word, createdMs: time })

/**
 * What another region may ask home to write: everything but home itself.
 * A bucket's settings matter only in the region that makes the bucket, which is the one that asks; so they are taken as they are.
 */
export const forwardedChangeSchema: z.ZodType<ControlChange> = z.union([
  identityChangeSchema,
  z.strictObject({
    kind: z.literal('createBucket'),
    bucket: bucketNameSchema,
    settings: z.custom<BucketSettings>((value) => isObject(value)),
  }),
  z.strictObject({ kind: z.literal('deleteBucket'), name: word, id: word }),
])

const appendRequestIdMax = 200

export const appendSchema = z.strictObject({ requestId: z.string().min(1).max(appendRequestIdMax), change: forwardedChangeSchema })
/** With room for the largest policy document, escaped. */
export const appendMaxBytes = 512 * 1024

const knownKinds = {
  setHome: true,
  createBucket: true,
  deleteBucket: true,
  createAccount: true,
  changeAccount: true,
  deleteAccount: true,
  createIdentity: true,
  deleteIdentity: true,
  editIdentity: true,
  createAccessKey: true,
  setAccessKeyStatus: true,
  deleteAccessKey: true,
  createRole: true,
  deleteRole: true,
  putRolePolicy: true,
  deleteRolePolicy: true,
} as const satisfies Record<ControlChange['kind'], true>

/** A follower stops at a row it does not know: leaving it out would be another history. */
export function isKnown(row: ControlRow): boolean {
  return Object.hasOwn(knownKinds, row.change.kind)
}

/** NOTE: the change stays the very object that was parsed from JSON, because its text is what the hash covers. */
const rowSchema: z.ZodType<ControlRow> = z.object({
  position: z.int().min(1),
  epoch: z.int().min(0),
  timeMs: z.int(),
  requestId: z.string(),
  change: z.custom<ControlChange>((value) => isObject(value) && typeof value.kind === 'string'),
  previousHash: z.string(),
  hash: z.string(),
})

export const appendAnswerSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('written'), row: rowSchema }),
  /** Asked of the wrong region; `home` is whom it takes for home, '' when it knows none. */
  z.object({ outcome: z.literal('notHome'), home: z.string() }),
])
export type AppendAnswer = z.output<typeof appendAnswerSchema>

export const rowsQuerySchema = z.object({
  /** The position of the asker's newest row, and its hash: '' before the first. */
  after: z.coerce.number().int().min(0),
  hash: z.string().max(64),
  /** How long to wait for a row when there is none yet. */
  waitMs: z.coerce.number().int().min(0).max(60_000),
})

export const rowsAnswerSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('rows'), home: z.string(), position: z.int().min(0), rows: z.array(rowSchema) }),
  /** The asker's newest row is not among ours. */
  z.object({ outcome: z.literal('diverged'), why: z.string() }),
])
export type RowsAnswer = z.output<typeof rowsAnswerSchema>

export const factsAnswerSchema = z.object({
  facts: z
    .object({
      bucketId: z.string(),
      region: z.string(),
      versioning: z.enum(['Unversioned', 'Enabled', 'Suspended']),
      objectLock: z.boolean(),
      ownerAccountId: z.string(),
    })
    .nullable(),
})

/** Of one message; what is more goes in the next. */
export const noticesMax = 1_000
export const changedSchema = z.strictObject({ bucketIds: z.array(word).min(1).max(noticesMax) })

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
