/** Holds the replica against its source, in everything that replication promises to carry. */
import { createHash } from 'node:crypto'
import {
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { DemoClients } from './clients.ts'
import { say, sideBySide, title } from './print.ts'
import type { BucketPair } from './replication.ts'
import type { Uploaded } from './upload.ts'

/** One side of the comparison. */
interface Side {
  readonly head: HeadObjectCommandOutput
  readonly headers: Readonly<Record<string, string>>
  readonly tags: string
  readonly acl: string
  readonly sha256: string
}

/** @returns the names of what differs; none when the replica is equal */
export async function compareReplicas(clients: DemoClients, pair: BucketPair, uploaded: Uploaded): Promise<readonly string[]> {
  title('HEAD on both sides')
  const source = await look(clients.source, pair.source, uploaded)
  const replica = await look(clients.destination, pair.destination, uploaded)
  const names = [...new Set([...Object.keys(source.headers), ...Object.keys(replica.headers)])].sort()
  sideBySide(
    ['', `${pair.source} (${clients.sourceRegion})`, `${pair.destination} (${clients.destinationRegion})`],
    names.map((name) => [name, source.headers[name] ?? '–', replica.headers[name] ?? '–']),
  )
  title('Checked')
  const checks = checksOf(source, replica)
  for (const [name, isEqual, value] of checks) say(`  ${isEqual ? '✓' : '✗ DIFFERS'}  ${name.padEnd(14)} ${value}`)
  const differences = checks.filter(([, isEqual]) => !isEqual).map(([name]) => name)
  say('')
  say(differences.length === 0 ? `  All ${checks.length} are equal: the replica is the object.` : `  DIFFERENT: ${differences.join(', ')}`)
  return differences
}

function checksOf(source: Side, replica: Side): readonly (readonly [name: string, isEqual: boolean, value: string])[] {
  const same = (name: string, of: (side: Side) => string | undefined): readonly [string, boolean, string] => {
    const value = of(source)
    // What the source lost already would be equal on both sides, and prove nothing.
    return [name, value !== undefined && value !== '' && value === of(replica), value ?? '(missing)']
  }
  return [
    [
      'status',
      source.head.ReplicationStatus === 'COMPLETED' && replica.head.ReplicationStatus === 'REPLICA',
      `${source.head.ReplicationStatus} and ${replica.head.ReplicationStatus}`,
    ],
    same('version id', ({ head }) => head.VersionId),
    same('ETag', ({ head }) => head.ETag),
    same('checksum', ({ head }) => checksumOf(head)),
    same('size', ({ head }) => head.ContentLength?.toString()),
    same('last modified', ({ head }) => head.LastModified?.toISOString()),
    same('metadata', ({ head }) => JSON.stringify([head.ContentType, head.CacheControl, head.Metadata])),
    same('tags', ({ tags }) => tags),
    same('ACL', ({ acl }) => acl),
    same('storage class', ({ head }) => head.StorageClass),
    same('encryption', ({ head }) => head.ServerSideEncryption),
    same('bytes', ({ sha256 }) => sha256),
  ]
}

function checksumOf(head: HeadObjectCommandOutput): string | undefined {
  const value = head.ChecksumCRC64NVME ?? head.ChecksumCRC32 ?? head.ChecksumCRC32C ?? head.ChecksumSHA256 ?? head.ChecksumSHA1
  return value === undefined ? undefined : `${value} ${head.ChecksumType}`
}

async function look(s3: S3Client, bucket: string, { key, versionId }: Uploaded): Promise<Side> {
  const address = { Bucket: bucket, Key: key, VersionId: versionId }
  const headers: Record<string, string> = {}
  const command = new HeadObjectCommand({ ...address, ChecksumMode: 'ENABLED' })
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const { response } = result
      if (typeof response === 'object' && response !== null && 'headers' in response) Object.assign(headers, response.headers)
      return result
    },
    { step: 'deserialize', name: 'keepHeaders' },
  )
  const head = await s3.send(command)
  const [tagging, policy, bytes] = await Promise.all([
    s3.send(new GetObjectTaggingCommand(address)),
    s3.send(new GetObjectAclCommand(address)),
    s3.send(new GetObjectCommand(address)),
  ])
  const hash = createHash('sha256')
  for await (const chunk of bytes.Body as AsyncIterable<Uint8Array>) hash.update(chunk) // in Node a body is a readable stream
  return {
    head,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !transport.has(name))),
    tags: JSON.stringify(tagging.TagSet?.map(({ Key, Value }) => [Key, Value])),
    acl: JSON.stringify(policy.Grants?.map(({ Grantee, Permission }) => [Grantee?.ID ?? Grantee?.URI, Permission])),
    sha256: hash.digest('hex'),
  }
}

/** What belongs to the answer and not to the object. */
const transport: ReadonlySet<string> = new Set(['date', 'connection', 'keep-alive', 'x-amz-request-id', 'x-amz-id-2', 'server'])
