/** Processes that are killed while versions are on their way: nothing is forgotten, and nothing arrives twice. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/regions-pair.ts'
import { freePorts, type Up, up } from '../support/up.ts'

const kills = 6
const bucketNames = { near: 'near-shore', far: 'far-shore' }

describe('kill -9 of either side', () => {
  it('loses no acknowledged version, forgets no replication, and sends none twice', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'farshore-restart-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const port = await freePorts()
    const regions = await up(['--regions', 'us-east-1,eu-west-1', '--data', folder, '--port', String(port)])
    onTestFinished(() => regions.stop())
    const [near, far] = clientsOf(regions)
    await setUp(regions, near, far)

    const acknowledged = new Map<string, string>()
    let isWriting = true
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let n = 0; isWriting; n++) {
        const Key = `${writer}/${n % 10}`
        // What fails meanwhile was not acknowledged, and may have happened or not.
        const made = await near
          .send(new PutObjectCommand({ Bucket: bucketNames.near, Key, Body: `${writer} ${n}`.repeat(200) }))
          .catch(() => undefined)
        if (made?.VersionId !== undefined) acknowledged.set(made.VersionId, Key)
      }
    })
    for (let kill = 0; kill < kills; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 300 + kill * 50))
      const victim = kill % 2
      const pid = await pidOf(folder, regions, victim)
      process.kill(pid, 'SIGKILL')
      const again = performance.now()
      await eventually(async () => {
        const answer = await fetch(`${regions.regions[victim]?.s3}/_health/ready`)
        if (!answer.ok) throw new Error('not ready')
      })
      process.stdout.write(
        `kill ${kill + 1} of ${victim === 0 ? 'source' : 'destination'} at ${acknowledged.size} acknowledged, back after ${Math.round(performance.now() - again)} ms\n`,
      )
    }
    isWriting = false
    await Promise.all(writers)
    expect(acknowledged.size).toBeGreaterThan(50)

    const settledFrom = performance.now()
    await eventually(async () => expect(await all(far, bucketNames.far)).toEqual(await all(near, bucketNames.near)), 30_000)
    process.stdout.write(
      `${acknowledged.size} acknowledged versions equal in both regions, ${Math.round(performance.now() - settledFrom)} ms after the last write\n`,
    )
    const there = new Set((await all(far, bucketNames.far)).map(([, versionId]) => versionId))
    expect([...acknowledged.keys()].filter((id) => !there.has(id))).toEqual([])
    for (const [VersionId, Key] of [...acknowledged].slice(-20)) {
      await eventually(async () => {
        const { ReplicationStatus } = await near.send(new HeadObjectCommand({ Bucket: bucketNames.near, Key, VersionId }))
        expect(ReplicationStatus).toBe('COMPLETED')
      })
    }
  })
})

function clientsOf({ regions, accessKeyId, secretAccessKey }: Up): readonly [S3Client, S3Client] {
  const [near, far] = regions.map(
    ({ s3, region }) =>
      new S3Client({ endpoint: s3, region, forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } }),
  )
  if (near === undefined || far === undefined) throw new Error('two regions were expected')
  return [near, far]
}

async function setUp({ regions, accessKeyId, secretAccessKey }: Up, near: S3Client, far: S3Client): Promise<void> {
  await near.send(new CreateBucketCommand({ Bucket: bucketNames.near }))
  await far.send(new CreateBucketCommand({ Bucket: bucketNames.far, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }))
  const VersioningConfiguration = { Status: 'Enabled' as const }
  await near.send(new PutBucketVersioningCommand({ Bucket: bucketNames.near, VersioningConfiguration }))
  await far.send(new PutBucketVersioningCommand({ Bucket: bucketNames.far, VersioningConfiguration }))
  const iam = new IAMClient({ endpoint: regions[0]?.s3 ?? '', region: 'us-east-1', credentials: { accessKeyId, secretAccessKey } })
  const document = (statement: object): string => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] })
  const trust = document({ Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' })
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'replicator', AssumeRolePolicyDocument: trust }))
  await iam.send(
    new PutRolePolicyCommand({ RoleName: 'replicator', PolicyName: 'all', PolicyDocument: document({ Action: 's3:*', Resource: '*' }) }),
  )
  await near.send(
    new PutBucketReplicationCommand({
      Bucket: bucketNames.near,
      ReplicationConfiguration: {
        Role: Role?.Arn,
        Rules: [
          {
            ID: 'all',
            Priority: 1,
            Status: 'Enabled',
            Filter: { Prefix: '' },
            DeleteMarkerReplication: { Status: 'Disabled' },
            Destination: { Bucket: `arn:aws:s3:::${bucketNames.far}` },
          },
        ],
      },
    }),
  )
}

/** Key, version id and ETag of every version. */
async function all(s3: S3Client, Bucket: string): Promise<readonly (readonly [string, string, string])[]> {
  const found: [string, string, string][] = []
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {}
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket, ...marker }))
    for (const { Key = '', VersionId = '', ETag = '' } of page.Versions ?? []) found.push([Key, VersionId, ETag])
    if (page.IsTruncated !== true) return found
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
  }
}

/** Who listens now: the region may have been started again since `up` told of it. */
async function pidOf(folder: string, { regions }: Up, index: number): Promise<number> {
  const { execFileSync } = await import('node:child_process')
  const region = regions[index]?.region ?? ''
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n')
  const line = lines.find((one) => one.includes(' server ') && one.includes(join(folder, region)))
  if (line === undefined) throw new Error(`no process of ${region} was found`)
  return Number(line.trim().split(/\s+/)[0])
}
