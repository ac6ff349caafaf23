import { execFile } from 'node:child_process'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, RestoreObjectCommand, S3Client } from '@aws-sdk/client-s3'
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
    execFile(process.execPath, [farshore, ...args, '--data', folder], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-cli-'))
  regions = await up(['--regions', 'us-east-1', '--data', folder, '--port', String(await freePorts()), '--no-restart'])
  const credentials = { accessKeyId: regions.accessKeyId, secretAccessKey: regions.secretAccessKey }
  s3 = new S3Client({ endpoint: regions.regions[0]?.s3 ?? '', region: 'us-east-1', credentials, forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: 'bucket' }))
})
afterAll(async () => {
  await regions?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('farshore lifecycle moves', () => {
  // One story, in its order: each step stands on the one before.
  it('tells of tiers, of what waits and why; and check counts what is in tiers and the copies of it', { timeout: 60_000 }, async () => {
    const place = { Bucket: 'bucket', Key: 'archived' }
    const Body = Buffer.alloc(300_000, 'abc')
    await s3.send(new PutObjectCommand({ ...place, Body, StorageClass: 'GLACIER' }))
    const quiet = await eventually(async () => {
      const said = await run('lifecycle', 'moves')
      expect(said.out).toMatch(/nothing is to be moved/)
      return said
    })
    expect(quiet).toMatchObject({ code: 0, out: expect.stringMatching(/us-east-1: tier cold \(folder .*cold\): well/) })
    await s3.send(new RestoreObjectCommand({ ...place, RestoreRequest: { Days: 1 } }))
    await eventually(async () => {
      const { Body: read } = await s3.send(new GetObjectCommand(place))
      expect(Buffer.from((await read?.transformToByteArray()) ?? []).equals(Body)).toBe(true)
    })
    const { regions: answered } = JSON.parse((await run('lifecycle', 'moves', '--json')).out) as { regions: { moves: unknown[] }[] }
    expect(answered[0]?.moves).toMatchObject([{ bucket: 'bucket', key: 'archived', kind: 'expire', bytes: 300_000, reason: null }])
    const checked = await run('check')
    expect(checked).toMatchObject({
      code: 0,
      out: expect.stringMatching(/all is well\n.*1 blobs with 300000 bytes are in tiers and were not read/),
    })

    const { regions: before } = JSON.parse((await run('lifecycle', 'moves', '--json')).out) as { regions: { tiers: { place: string }[] }[] }
    const cold = before[0]?.tiers[0]?.place ?? ''
    await rename(cold, `${cold}-away`)
    await s3.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'stays', Body: 'x', StorageClass: 'GLACIER' }))
    await eventually(async () => {
      const said = await run('lifecycle', 'moves')
      expect(said).toMatchObject({ code: 3, out: expect.stringMatching(/bucket\/stays version null .* is to go to GLACIER, .* failed: /) })
    })
    await rename(`${cold}-away`, cold)
    await eventually(async () => expect((await run('lifecycle', 'moves')).code).toBe(0))
  })
})
