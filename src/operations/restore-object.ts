/** RestoreObject. */
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { restoreDaysMax, restoreTiers } from '../model/restore.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey, xmlBody } from '../s3/members.ts'
import { anything, document, enumOf, int, optional, struct, text } from '../s3/xml/shapes.ts'
import { findObject } from './shared/find.ts'
import { isVersioned, versionHeader, versionIdQuery } from './shared/version-ids.ts'

const RestoreRequest = document(
  'RestoreRequest',
  struct({
    Days: optional(int({ min: 1, max: restoreDaysMax, code: 'InvalidArgument' })),
    Description: optional(text()),
    GlacierJobParameters: optional(struct({ Tier: enumOf(restoreTiers) })),
    Tier: optional(enumOf(restoreTiers)),
    Type: optional(enumOf(['SELECT'])),
    SelectParameters: optional(anything()),
    OutputLocation: optional(anything()),
  }),
)

/**
 * Asks for a temporary copy of an archived version, or lets the copy that is here stay longer.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
 */
export const RestoreObject = operation({
  name: 'RestoreObject',
  route: 'POST /{Bucket}/{Key+}?restore',
  action: 's3:RestoreObject',
  input: { Key: objectKey(), VersionId: versionIdQuery(), Supported: headers(refuseUnsupported), RestoreRequest: xmlBody(RestoreRequest) },
  errors: [
    'InvalidArgument',
    'InvalidObjectState',
    'MalformedXML',
    'MethodNotAllowed',
    'MissingRequestBodyError',
    'NoSuchKey',
    'NoSuchVersion',
    'NotImplemented',
    'RestoreAlreadyInProgress',
  ],

  async handle(context, { Key, VersionId, RestoreRequest: asked }) {
    const { bucket, services } = context
    if (asked.Type !== undefined || asked.SelectParameters !== undefined || asked.OutputLocation !== undefined) {
      throw new S3Error('NotImplemented', { message: 'A restore to another place, or a selection, is not supported by this server.' })
    }
    if (asked.Days === undefined) throw new S3Error('MalformedXML', { message: 'Days must say for how long the copy is to stay.' })
    const tier = asked.GlacierJobParameters?.Tier ?? asked.Tier ?? 'Standard'
    const version = await findObject(context, { key: Key, versionId: VersionId })
    if (tier === 'Expedited' && version.storageClass === 'DEEP_ARCHIVE') {
      throw new S3Error('InvalidArgument', { message: 'Retrieval option is not supported by this storage class', details: { Tier: tier } })
    }
    const { lifecycleDayMs: dayMs, restoreDelayMs } = services.defaults
    const outcome = await services.objects.restore(version, { days: asked.Days, tier, delayMs: restoreDelayMs[tier], dayMs })
    return { status: outcome === 'requested' ? 202 : 200, headers: isVersioned(bucket) ? versionHeader(version) : {} }
  },
})
