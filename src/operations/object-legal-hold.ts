/** Whether a version is kept until somebody says otherwise. */
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { readLegalHold } from '../model/object-lock.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { document, enumOf, struct } from '../s3/xml/shapes.ts'
import { findObject, hidingAbsence } from './shared/find.ts'
import { checkBucketHasLock, unreadableLock } from './shared/object-lock.ts'
import { objectTarget } from './shared/targets.ts'
import { versionIdQuery } from './shared/version-ids.ts'

const LegalHoldDocument = document('LegalHold', struct({ Status: enumOf(['ON', 'OFF']) }))

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html */
export const PutObjectLegalHold = operation({
  name: 'PutObjectLegalHold',
  route: 'PUT /{Bucket}/{Key+}?legal-hold',
  action: 's3:PutObjectLegalHold',
  // Conditions ask about the status, which stands in the body.
  asksItself: true,
  input: {
    Key: objectKey(),
    VersionId: versionIdQuery(),
    Supported: headers(refuseUnsupported),
    LegalHold: xmlBody(LegalHoldDocument),
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

  async handle(context, { Key, VersionId, LegalHold: { Status } }) {
    const { bucket, services } = context
    const value = Status === 'ON'
    const target = { ...objectTarget(context, Key, VersionId), lock: { legalHold: value } }
    const confirm = await context.authorize('s3:PutObjectLegalHold', target)
    checkBucketHasLock(bucket)
    const judged = await findObject(context, { key: Key, versionId: VersionId })
    confirm?.(judged)
    await hidingAbsence(context, () =>
      services.objects.setAttribute({ bucket, key: Key, versionId: VersionId, judged }, { name: 'legalHold', value }),
    )
    return { status: 200 }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html */
export const GetObjectLegalHold = operation({
  name: 'GetObjectLegalHold',
  route: 'GET /{Bucket}/{Key+}?legal-hold',
  action: 's3:GetObjectLegalHold',
  input: { Key: objectKey(), VersionId: versionIdQuery(), Supported: headers(refuseUnsupported) },
  errors: ['InvalidArgument', 'InvalidRequest', 'MethodNotAllowed', 'NoSuchKey', 'NoSuchObjectLockConfiguration', 'NoSuchVersion'],

  async handle(context, { Key, VersionId }) {
    checkBucketHasLock(context.bucket)
    const { record } = await findObject(context, { key: Key, versionId: VersionId })
    if (record.legalHold === undefined) throw new S3Error('NoSuchObjectLockConfiguration', { details: { Key } })
    const hold = readLegalHold(record)
    if (hold === 'unreadable') throw unreadableLock()
    return { status: 200, body: xml('LegalHold', { Status: hold ? 'ON' : 'OFF' }) }
  },
})
