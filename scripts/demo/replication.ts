/** The set-up that AWS's own guide describes: two versioned buckets, a role that S3 may assume, its policy, a rule. */
import { CreateRoleCommand, GetRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateBucketCommand, PutBucketReplicationCommand, PutBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3'
import type { DemoClients } from './clients.ts'
import { say, title } from './print.ts'

export interface BucketPair {
  readonly source: string
  readonly destination: string
}

const pair: BucketPair = { source: 'demo-source', destination: 'demo-replica' }
const roleName = 'demo-replication'

export async function setUpReplication(clients: DemoClients): Promise<BucketPair> {
  title('Buckets, role and rule')
  await versionedBucket(clients.source, pair.source, clients.sourceRegion)
  await versionedBucket(clients.destination, pair.destination, clients.destinationRegion)
  const role = await replicationRole(clients)
  say(`  role ${role}: s3.amazonaws.com may assume it; it may read ${pair.source} and replicate to ${pair.destination}`)
  await clients.source.send(
    new PutBucketReplicationCommand({
      Bucket: pair.source,
      ReplicationConfiguration: {
        Role: role,
        Rules: [
          {
            ID: 'everything',
            Priority: 1,
            Status: 'Enabled',
            Filter: { Prefix: '' },
            DeleteMarkerReplication: { Status: 'Enabled' },
            Destination: { Bucket: `arn:aws:s3:::${pair.destination}` },
          },
        ],
      },
    }),
  )
  say(`  rule "everything" on ${pair.source}: every new version goes to ${pair.destination}`)
  return pair
}

async function versionedBucket(s3: S3Client, name: string, region: string): Promise<void> {
  const location = region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' } } // any name of a region
  await tolerating('BucketAlreadyOwnedByYou', () => s3.send(new CreateBucketCommand({ Bucket: name, ...location })))
  await s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }))
  say(`  bucket ${name} in ${region}, versioning enabled`)
}

async function replicationRole({ iam }: DemoClients): Promise<string> {
  const trust = document({ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await tolerating('EntityAlreadyExistsException', () =>
    iam.send(new CreateRoleCommand({ RoleName: roleName, AssumeRolePolicyDocument: trust })),
  )
  const permissions = document(
    { Effect: 'Allow', Action: ['s3:GetReplicationConfiguration', 's3:ListBucket'], Resource: `arn:aws:s3:::${pair.source}` },
    {
      Effect: 'Allow',
      Action: ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
      Resource: `arn:aws:s3:::${pair.source}/*`,
    },
    {
      Effect: 'Allow',
      Action: ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'],
      Resource: `arn:aws:s3:::${pair.destination}/*`,
    },
  )
  await iam.send(new PutRolePolicyCommand({ RoleName: roleName, PolicyName: 'replicate', PolicyDocument: permissions }))
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: roleName }))
  if (Role?.Arn === undefined) throw new Error('the role has no ARN')
  return Role.Arn
}

function document(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** The demo may run again on the same folder. */
async function tolerating(name: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Error) || error.name !== name) throw error
  }
}
