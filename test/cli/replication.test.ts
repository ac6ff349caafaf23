import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateRoleCommand, DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  ListBucketsCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/regions-pair.ts'
import { freePorts, type Up, up } from '../support/up.ts'

const farshore = new URL('../../bin/farshore.js', import.meta.url).pathname

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

let folder = ''
let regions: Up
let near: S3Client
let iam: IAMClient

function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], ...environment }
    execFile(process.execPath, [farshore, 'replication', ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-cli-'))
  regions = await up(['--regions', 'us-east-1,eu-west-1', '--data', folder, '--port', String(await freePorts()), '--no-restart'])
  const credentials = { accessKeyId: regions.accessKeyId, secretAccessKey: regions.secretAccessKey }
  const [first, second] = regions.regions
  near = new S3Client({ endpoint: first?.s3 ?? '', region: 'us-east-1', credentials, forcePathStyle: true })
  const far = new S3Client({ endpoint: second?.s3 ?? '', region: 'eu-west-1', credentials, forcePathStyle: true })
  iam = new IAMClient({ endpoint: first?.s3 ?? '', region: 'us-east-1', credentials })
  for (const [s3, Bucket] of [
    [near, 'near-shore'],
    [far, 'far-shore'],
  ] as const) {
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  }
  const trust = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' },
  })
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'replicator', AssumeRolePolicyDocument: trust }))
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } })
  await iam.send(new PutRolePolicyCommand({ RoleName: 'replicator', PolicyName: 'all', PolicyDocument }))
  const Destination = { Bucket: 'arn:aws:s3:::far-shore' }
  const rule = {
    ID: 'all',
    Priority: 1,
    Status: 'Enabled' as const,
    Filter: { Prefix: '' },
    DeleteMarkerReplication: { Status: 'Disabled' as const },
    Destination,
  }
  await near.send(new PutBucketReplicationCommand({ Bucket: 'near-shore', ReplicationConfiguration: { Role: Role?.Arn, Rules: [rule] } }))
})
afterAll(async () => {
  await regions?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('farshore replication', () => {
  // One story, in its order: each step stands on the one before.
  it('tells of rules, of failures with their reasons, and of regions that are away, with the exit codes it promises', {
    timeout: 60_000,
  }, async () => {
    const quiet = await run(['status', '--data', folder, '--json'])
    expect(JSON.parse(quiet.out)).toEqual({
      rules: [
        {
          region: 'us-east-1',
          bucket: 'near-shore',
          ruleId: 'all',
          destination: { bucket: 'far-shore', region: 'eu-west-1' },
          pendingOperations: 0,
          pendingBytes: 0,
          oldestPendingAgeMs: 0,
          failed: 0,
          lastError: null,
        },
      ],
    })
    await near.send(new PutObjectCommand({ Bucket: 'near-shore', Key: 'sent', Body: 'x' }))
    expect(await run(['status', '--data', folder, '--wait', '20'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('nothing pending, 0 failed'),
    })

    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'replicator', PolicyName: 'all' }))
    const { VersionId } = await near.send(new PutObjectCommand({ Bucket: 'near-shore', Key: 'refused', Body: 'x' }))
    await eventually(async () => {
      const { objects } = JSON.parse((await run(['failed', '--data', folder, '--json'])).out) as { objects: unknown[] }
      expect(objects).toEqual([
        {
          region: 'us-east-1',
          bucket: 'near-shore',
          key: 'refused',
          versionId: VersionId,
          ruleId: 'all',
          destination: 'far-shore',
          reason: 'InitiateReplicationNotPermitted',
          message: expect.any(String),
          attempts: expect.any(Number),
          nextAttemptAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        },
      ])
    })
    expect((await run(['failed', '--data', folder])).out).toMatch(
      /^near-shore\/refused version \S+ → far-shore: InitiateReplicationNotPermitted/,
    )
    const status = JSON.parse((await run(['status', '--data', folder, '--json'])).out) as { rules: unknown[] }
    expect(status.rules).toMatchObject([
      { pendingOperations: 0, failed: 1, lastError: { code: 'InitiateReplicationNotPermitted', at: expect.stringMatching(/Z$/) } },
    ])

    expect((await run(['status', '--data', folder])).out).toMatch(/, 1 failed; last error \S+Z InitiateReplicationNotPermitted: /)

    // Not everything stands over there.
    expect(await run(['status', '--data', folder, '--wait', '5'])).toMatchObject({ code: 3, out: expect.stringContaining('1 failed') })

    const [source, destination] = regions.regions
    const environment = { AWS_ACCESS_KEY_ID: regions.accessKeyId, AWS_SECRET_ACCESS_KEY: regions.secretAccessKey }
    expect(await run(['failed', '--endpoint', source?.console ?? '', '--json'], environment)).toMatchObject({ code: 0 })
    expect(await run(['failed', '--endpoint', source?.console ?? ''], { ...environment, AWS_SECRET_ACCESS_KEY: 'wrong' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('SignatureDoesNotMatch'),
    })
    expect(await run(['failed', '--endpoint', source?.console ?? ''])).toMatchObject({
      code: 2,
      err: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    })

    process.kill(destination?.pid ?? 0, 'SIGKILL')
    await near.send(new PutObjectCommand({ Bucket: 'near-shore', Key: 'pending', Body: 'x' }))
    expect(await run(['status', '--endpoint', source?.console ?? '', '--wait', '0.5', '--json'], environment)).toMatchObject({ code: 3 })
    const away = await run(['status', '--data', folder])
    // One that is away does not hide what the others say.
    expect(away).toMatchObject({ code: 1, out: expect.stringContaining('1 pending') })
    expect(away.err.trim()).toMatch(/^farshore: Region eu-west-1 cannot be reached at http:\S+\.$/)
    expect(await run(['status', '--data', folder, '--wait', '0.1'])).toMatchObject({ code: 3, out: expect.stringContaining('1 pending') })
    expect(await run(['failed', '--data', folder])).toMatchObject({ code: 1, out: expect.stringContaining('near-shore/refused') })
    expect(await run(['status', '--endpoint', source?.s3 ?? ''], environment)).toMatchObject({
      code: 1,
      err: expect.stringContaining('is no admin API'),
    })
    expect(await run(['status', '--wait', 'soon'])).toMatchObject({ code: 2 })
    expect(await run(['status', '--data', join(folder, 'nothing')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no deployment'),
    })
  })

  it('says that it does not know of rules and failures while the region of their source is away', { timeout: 60_000 }, async () => {
    const data = await mkdtemp(join(tmpdir(), 'farshore-cli-'))
    const others = await up(['--regions', 'us-east-1,eu-west-1', '--data', data, '--port', String(await freePorts()), '--no-restart'])
    try {
      expect((await run(['status', '--data', data])).out).toBe('No bucket has a replication rule.\n')
      process.kill(others.regions[0]?.pid ?? 0, 'SIGKILL')
      await eventually(async () => {
        for (const [word, nothing] of [
          ['status', 'No bucket has a replication rule'],
          ['failed', 'Nothing has failed'],
        ] as const) {
          const away = await run([word, '--data', data])
          expect(away).toMatchObject({
            code: 1,
            out: `${nothing} in the regions that answer. What there is in us-east-1 is not known: it does not answer.\n`,
          })
        }
      })
    } finally {
      await others.stop()
      await rm(data, { recursive: true, force: true })
    }
  })

  it('tells an S3 client that took the admin listener for S3 where S3 is', async () => {
    const [source] = regions.regions
    const client = new S3Client({
      endpoint: source?.console ?? '',
      region: 'us-east-1',
      credentials: { accessKeyId: regions.accessKeyId, secretAccessKey: regions.secretAccessKey },
      forcePathStyle: true,
      maxAttempts: 1,
    })
    await expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining(source?.s3 ?? ''),
    })
  })

  it('answers nobody on the admin listener without the right signature', async () => {
    const admin = regions.regions[0]?.console ?? ''
    expect((await fetch(`${admin}/admin/v1/replication`)).status).toBe(403)
    expect((await fetch(`${admin}/admin/v1/nothing`)).status).toBe(404)
    expect((await fetch(`${admin}/_health/ready`)).status).toBe(200)
  })
})
