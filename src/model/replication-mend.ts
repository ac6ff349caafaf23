/**
 * The documents that let a rule work, as narrow as its buckets.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
 */
import { bucketArn } from './arn.ts'

interface Document {
  readonly Version: '2012-10-17'
  readonly Statement: readonly object[]
}

const everyKey = '/*'

export function replicationTrust(): Document {
  return document([{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }])
}

export function replicationRolePolicy(source: string, destinations: readonly string[]): Document {
  return document([
    { Effect: 'Allow', Action: ['s3:GetReplicationConfiguration', 's3:ListBucket'], Resource: bucketArn(source) },
    {
      Effect: 'Allow',
      Action: ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
      Resource: bucketArn(source) + everyKey,
    },
    {
      Effect: 'Allow',
      Action: ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags', 's3:ObjectOwnerOverrideToBucketOwner'],
      Resource: destinations.map((name) => bucketArn(name) + everyKey),
    },
  ])
}

/** For a destination of another account than the role. */
export function replicationBucketPolicy(destination: string, roleArn: string): Document {
  return document([
    {
      Effect: 'Allow',
      Principal: { AWS: roleArn },
      Action: ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags', 's3:ObjectOwnerOverrideToBucketOwner'],
      Resource: bucketArn(destination) + everyKey,
    },
  ])
}

function document(Statement: readonly object[]): Document {
  return { Version: '2012-10-17', Statement }
}
