import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/regions-pair.ts'
import { freePorts, type Up, up } from '../support/up.ts'

const farshore = new URL('../../bin/farshore.js', import.meta.url).pathname

let folder = ''
let regions: Up
let s3: S3Client

function run(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'] }
    execFile(process.execPath, [farshore, 'lifecycle', ...args, '--data', folder], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-cli-'))
  regions = await up(['--regions', 'us-east-1,eu-west-1', '--data', folder, '--port', String(await freePorts()), '--no-restart'])
  const credentials = { accessKeyId: regions.accessKeyId, secretAccessKey: regions.secretAccessKey }
  s3 = new S3Client({ endpoint: regions.regions[0]?.s3 ?? '', region: 'us-east-1', credentials, forcePathStyle: true })
  for (const Bucket of ['old-things', 'no-rules']) await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutBucketVersioningCommand({ Bucket: 'old-things', VersioningConfiguration: { Status: 'Enabled' } }))
  await s3.send(new PutObjectCommand({ Bucket: 'old-things', Key: 'log', Body: '12345' }))
  await s3.send(new DeleteObjectCommand({ Bucket: 'old-things', Key: 'gone' }))
})
afterAll(async () => {
  await regions?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('farshore lifecycle', () => {
  // One story, in its order: each step stands on the one before.
  it('tells of passes and of what goes next, for people and in JSON, with the exit codes it promises', { timeout: 60_000 }, async () => {
    expect(await run('status')).toMatchObject({ code: 0, out: expect.stringContaining('us-east-1: no bucket has lifecycle rules.') })
    expect(await run('preview', 'old-things')).toMatchObject({ code: 1, err: expect.stringContaining('old-things') })

    const Rules = [
      { ID: 'markers', Status: 'Enabled' as const, Filter: { Prefix: 'gone' }, Expiration: { ExpiredObjectDeleteMarker: true } },
      {
        ID: 'colder',
        Status: 'Enabled' as const,
        Filter: { ObjectSizeGreaterThan: 1 },
        Transitions: [{ Days: 0, StorageClass: 'GLACIER_IR' as const }],
      },
    ]
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: 'old-things', LifecycleConfiguration: { Rules } }))
    await eventually(async () => expect((await run('status')).out).toContain('old-things: passed'))
    expect((await run('status')).out).toContain('0 expired, 0 removed, 0 to another class (0 bytes), 0 uploads aborted, 0 bytes freed')
    expect(JSON.parse((await run('status', '--json')).out)).toMatchObject({
      regions: [
        { region: 'us-east-1', daySeconds: 86_400, buckets: [{ bucket: 'old-things', state: 'passed', held: {} }] },
        { buckets: [] },
      ],
    })

    const preview = await run('preview', 'old-things')
    expect(preview).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^log version [0-9a-v]{32} moves to GLACIER_IR: 5 bytes, rule colder$/m),
    })
    expect(preview.out).toMatch(/^gone version [0-9a-v]{32} is removed: 0 bytes, rule markers$/m)
    expect(JSON.parse((await run('preview', 'old-things', '--json')).out)).toMatchObject({
      bucket: 'old-things',
      totals: { transition: { count: 1, bytes: 5 }, remove: { count: 1, bytes: 0 } },
      isMore: false,
    })
    const one = JSON.parse((await run('preview', 'old-things', '--json', '--limit', '1')).out) as object
    expect(one).toMatchObject({ entries: [expect.anything()], isMore: true })
    expect(await run('preview', 'old-things', '--limit', 'x')).toMatchObject({ code: 2 })
    expect(await run('preview', 'no-rules')).toMatchObject({ code: 1, err: expect.stringContaining('No region') })
  })
})
