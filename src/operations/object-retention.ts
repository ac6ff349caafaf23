/** Until when a version is kept, and how strictly. */
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { type Retention, readRetention, retentionModes } from '../model/object-lock.ts'
import { checkRetainUntil } from '../model/object-lock-input.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { document, enumOf, optional, struct, timestamp } from '../s3/xml/shapes.ts'
import { isoTime } from '../s3/xml/write.ts'
import { findObject, hidingAbsence } from './shared/find.ts'
import { bypassMember, checkBucketHasLock, mayBypass, unreadableLock } from './shared/object-lock.ts'
import { objectTarget } from './shared/targets.ts'
import { versionIdQuery } from './shared/version-ids.ts'

const RetentionDocument = document('Retention', struct({ Mode: optional(enumOf(retentionModes)), RetainUntilDate: optional(timestamp()) }))

/**
 * Sets a version's retention, or with an empty element takes it away. What may take the place of what is judged inside the commit.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
 */
export const PutObjectRetention = operation({
  name: 'PutObjectRetention',
  route: 'PUT /{Bucket}/{Key+}?retention',
  action: 's3:PutObjectRetention',
  // Conditions ask about the mode and the date, which stand in the body.
  asksItself: true,
  input: {
    Key: objectKey(),
    VersionId: versionIdQuery(),
    ...bypassMember,
    Supported: headers(refuseUnsupported),
    Retention: xmlBody(RetentionDocument),
  },
  errors: [
    'InvalidArgument',
    'InvalidRequest',
    'MalformedXML',
    'MethodNotAllowed',
    'MissingRequestBodyError',
    'NoSuchKey',
    'NoSuchVersion',
    'OperationAborted',
  ],

  async handle(context, { Key, VersionId, Bypass, Retention: { Mode, RetainUntilDate } }) {
    const { bucket, services } = context
    const value = retentionOf(Mode, RetainUntilDate)
    const target = { ...objectTarget(context, Key, VersionId), lock: { retention: value } }
    const confirm = await context.authorize('s3:PutObjectRetention', target)
    checkBucketHasLock(bucket)
    checkRetainUntil(value, context.nowMs)
    const judged = await findObject(context, { key: Key, versionId: VersionId })
    confirm?.(judged)
    const bypass = await mayBypass(context, Bypass, { target, version: judged })
    await hidingAbsence(context, () =>
      services.objects.setAttribute({ bucket, key: Key, versionId: VersionId, judged }, { name: 'retention', value, bypass }),
    )
    return { status: 200 }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html */
export const GetObjectRetention = operation({
  name: 'GetObjectRetention',
  route: 'GET /{Bucket}/{Key+}?retention',
  action: 's3:GetObjectRetention',
  input: { Key: objectKey(), VersionId: versionIdQuery(), Supported: headers(refuseUnsupported) },
  errors: ['InvalidArgument', 'InvalidRequest', 'MethodNotAllowed', 'NoSuchKey', 'NoSuchObjectLockConfiguration', 'NoSuchVersion'],

  async handle(context, { Key, VersionId }) {
    checkBucketHasLock(context.bucket)
    const { record } = await findObject(context, { key: Key, versionId: VersionId })
    const retention = readRetention(record)
    if (retention === 'unreadable') throw unreadableLock()
    if (retention === undefined) throw new S3Error('NoSuchObjectLockConfiguration', { details: { Key } })
    return { status: 200, body: xml('Retention', { Mode: retention.mode, RetainUntilDate: isoTime(retention.untilMs) }) }
  },
})

/** @throws S3Error MalformedXML for one without the other */
function retentionOf(mode: Retention['mode'] | undefined, untilMs: number | undefined): Retention | null {
  if (mode === undefined && untilMs === undefined) return null
  if (mode === undefined || untilMs === undefined) throw new S3Error('MalformedXML')
  return { mode, untilMs }
}
