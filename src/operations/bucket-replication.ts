/** Where a bucket's new versions go: the replication configuration. */
import { randomUUID } from 'node:crypto'
import { parseRoleArn } from '../model/arn.ts'
import type { Bucket, BucketReplication, ReplicationDestination } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import type { ReplicationConfiguration } from '../model/replication-configuration.ts'
import { checkReplicationConfiguration } from '../model/replication-configuration-check.ts'
import {
  checkReplicationFacts,
  checkSource,
  type DestinationFacts,
  destinationBuckets,
  type SourceFacts,
} from '../model/replication-facts.ts'
import { type ParsedRole, parseRole } from '../model/role.ts'
import { operation } from '../s3/define.ts'
import { bucketName, headers, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import type { Services } from '../s3/services.ts'
import type { XmlValue } from '../s3/xml/write.ts'
import { ReplicationConfigurationDocument } from './shared/replication-document.ts'

/**
 * Stored only when everything that it speaks of is there: a refused request changes nothing.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
 */
export const PutBucketReplication = operation({
  name: 'PutBucketReplication',
  route: 'PUT /{Bucket}?replication',
  action: 's3:PutReplicationConfiguration',
  input: {
    Bucket: bucketName(),
    Supported: headers(refuseUnsupported),
    Configuration: xmlBody(ReplicationConfigurationDocument),
  },
  errors: ['InvalidArgument', 'InvalidRequest', 'InvalidTag', 'MalformedXML', 'NotImplemented', 'ServiceUnavailable'],

  async handle(context, { Configuration }) {
    const { bucket, services } = context
    const configuration = checkReplicationConfiguration(Configuration, { makeId: () => randomUUID() })
    await checkRoleAccount(configuration.Role, bucket, services)
    await context.authorize('iam:PassRole', {
      bucket: undefined,
      bucketName: undefined,
      key: undefined,
      arn: configuration.Role,
    })
    await services.buckets.setSetting(bucket, 'replication', await resolveReplication(configuration, bucket, services))
    return { status: 200 }
  },
})

/**
 * Answers each rule in the version in which it was put.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html
 */
export const GetBucketReplication = operation({
  name: 'GetBucketReplication',
  route: 'GET /{Bucket}?replication',
  action: 's3:GetReplicationConfiguration',
  input: { Bucket: bucketName() },
  errors: ['ReplicationConfigurationNotFoundError'],

  async handle({ bucket }) {
    const { replication } = bucket.settings
    if (replication === undefined) throw new S3Error('ReplicationConfigurationNotFoundError', { details: { BucketName: bucket.name } })
    // It is stored in S3's words and order, with text and numbers at its leaves; interfaces only lack the index signature of XmlValue.
    return { status: 200, body: xml('ReplicationConfiguration', replication.configuration as unknown as XmlValue) }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketReplication.html */
export const DeleteBucketReplication = operation({
  name: 'DeleteBucketReplication',
  route: 'DELETE /{Bucket}?replication',
  action: 's3:PutReplicationConfiguration',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket, services }) {
    await services.buckets.setSetting(bucket, 'replication', undefined)
    return { status: 204 }
  },
})

/**
 * Looks at everything that the configuration speaks of, as it is now.
 * @throws S3Error InvalidRequest | InvalidArgument | ServiceUnavailable (naming the region that cannot be asked)
 */
async function resolveReplication(
  configuration: ReplicationConfiguration,
  bucket: Bucket,
  { control }: Services,
): Promise<BucketReplication> {
  const { name, region, versioning, settings } = bucket
  const source: SourceFacts = { bucket: name, region, versioning, objectLock: settings.objectLock !== undefined }
  // Before any other region is asked: one that cannot be reached must not hide what is wrong here.
  checkSource(source)

  const facts = new Map<string, DestinationFacts>()
  const destinations: [string, ReplicationDestination][] = []
  for (const destination of destinationBuckets(configuration)) {
    const known = await control.nameOf(destination)
    const found = known && (await control.bucketFacts(known))
    if (found === undefined) continue
    facts.set(destination, found)
    destinations.push([destination, { bucketId: found.bucketId, region: found.region }])
  }
  const role = await roleOf(configuration.Role, control)
  checkReplicationFacts(configuration, { source, destinations: facts, role })
  return { configuration, destinations: Object.fromEntries(destinations) }
}

/** @throws S3Error AccessDenied for a role of another account than the bucket's: S3 takes none over that line */
async function checkRoleAccount(arn: string, bucket: Bucket, { control }: Services): Promise<void> {
  const accountId = parseRoleArn(arn)?.accountId
  const owner = await control.accountByCanonicalId(bucket.ownerId)
  if (accountId === undefined || accountId === owner?.accountId) return
  throw new S3Error('AccessDenied', { message: `Cross-account pass role is not allowed: ${arn} is not of the account of the bucket.` })
}

async function roleOf(arn: string, control: Services['control']): Promise<ParsedRole | undefined> {
  const role = await control.heldRole(arn)
  return role && parseRole(role)
}
