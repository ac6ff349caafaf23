/** PutBucketReplication's refusals that need facts: the source bucket, the destination buckets and the role as they are now. */
import { checkBucketArn } from './arn.ts'
import type { VersioningState } from './bucket.ts'
import { S3Error } from './errors.ts'
import type { ReplicationConfiguration, ReplicationRuleDestination } from './replication-configuration.ts'
import { mayAssume, type ParsedRole } from './role.ts'

export interface SourceFacts {
  readonly bucket: string
  readonly region: string
  readonly versioning: VersioningState
  readonly objectLock: boolean
}

export interface DestinationFacts {
  readonly region: string
  readonly versioning: VersioningState
  readonly objectLock: boolean
  /** Twelve digits. */
  readonly ownerAccountId: string
}

export interface ReplicationFacts {
  readonly source: SourceFacts
  /** By bucket name; a bucket that is not in the map does not exist in any region. */
  readonly destinations: ReadonlyMap<string, DestinationFacts>
  /** Undefined: there is no such role. */
  readonly role: ParsedRole | undefined
}

/** The names of the buckets whose facts `checkReplicationFacts` needs, each once. */
export function destinationBuckets(configuration: ReplicationConfiguration): readonly string[] {
  return [...new Set(configuration.Rule.map((rule) => checkBucketArn(rule.Destination.Bucket)))]
}

/**
 * All that follows, in the order a person would ask: the source, then each destination, then the role.
 * @throws S3Error InvalidRequest | InvalidArgument (Account)
 */
export function checkReplicationFacts(configuration: ReplicationConfiguration, facts: ReplicationFacts): void {
  checkSource(facts.source)
  for (const rule of configuration.Rule) {
    const bucket = checkBucketArn(rule.Destination.Bucket)
    checkDestination(facts.source, { bucket, facts: facts.destinations.get(bucket) })
    checkAccount(rule.Destination, facts.destinations.get(bucket)?.ownerAccountId)
  }
  checkReplicationRole(configuration.Role, { role: facts.role, source: facts.source })
}

/** @throws S3Error InvalidRequest */
export function checkSource(source: SourceFacts): void {
  if (source.versioning !== 'Enabled') {
    throw invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
  }
}

/** @throws S3Error InvalidRequest */
export function checkDestination(
  source: SourceFacts,
  destination: { readonly bucket: string; readonly facts: DestinationFacts | undefined },
): void {
  const { bucket, facts } = destination
  if (bucket === source.bucket) throw invalidRequest('Destination bucket cannot be the same as the source bucket.')
  if (facts === undefined) throw invalidRequest('Destination bucket must exist.')
  if (facts.versioning !== 'Enabled') throw invalidRequest('Destination bucket must have versioning enabled.')
  if (facts.region === source.region) {
    throw invalidRequest(`Destination bucket ${bucket} is in the same region as the source bucket: replication runs between two regions.`)
  }
  if (source.objectLock && !facts.objectLock) {
    throw invalidRequest('The source bucket has Object Lock enabled, so the destination bucket must have it too.')
  }
}

/** `Account`, when given, must be the account that owns the destination bucket. @throws S3Error InvalidArgument */
export function checkAccount(destination: ReplicationRuleDestination, ownerAccountId: string | undefined): void {
  if (destination.Account === undefined || destination.Account === ownerAccountId) return
  throw new S3Error('InvalidArgument', {
    message: 'Account must be the account that owns the destination bucket.',
    details: { ArgumentName: 'Account', ArgumentValue: destination.Account },
  })
}

/** @throws S3Error InvalidRequest naming the role */
export function checkReplicationRole(
  roleArn: string,
  { role, source }: { readonly role: ParsedRole | undefined; readonly source: Pick<SourceFacts, 'bucket'> },
): void {
  if (role === undefined) throw invalidRequest(`The role ${roleArn} does not exist.`)
  if (!mayAssume(role, { service: 's3.amazonaws.com', sourceBucket: source.bucket })) {
    throw invalidRequest(`The trust policy of the role ${roleArn} does not let s3.amazonaws.com assume it.`)
  }
}

function invalidRequest(message: string): S3Error {
  return new S3Error('InvalidRequest', { message })
}
