/** Two regions whose histories have parted: the old home has changes that the new one has not, and stops. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/regions-pair.ts'
import { freePorts, type Up, up } from '../support/up.ts'
import { binary, run } from './processes.ts'

let folder = ''
let regions: Up

async function farshore(...args: readonly string[]) {
  const running = run([...args, '--data', folder], { entry: binary })
  return { code: await running.exit, out: running.stdout(), err: running.stderr() }
}

const processOf = (region: string): number => regions.regions.find((one) => one.region === region)?.pid ?? 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-cli-'))
  regions = await up(['--regions', 'us-east-1,eu-west-1', '--data', folder, '--port', String(await freePorts()), '--no-restart'])
  const near = new S3Client({
    endpoint: regions.regions[0]?.s3 ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: regions.accessKeyId, secretAccessKey: regions.secretAccessKey },
    forcePathStyle: true,
  })
  // The first of the rows may be on their way to the sleeper already; it cannot ask for the others.
  process.kill(processOf('eu-west-1'), 'SIGSTOP')
  for (const Bucket of ['heard-1', 'heard-2', 'heard-3', 'heard-4', 'home-alone-has-this'])
    await near.send(new CreateBucketCommand({ Bucket }))
  process.kill(processOf('us-east-1'), 'SIGSTOP')
  process.kill(processOf('eu-west-1'), 'SIGCONT')
  expect((await farshore('regions', 'promote', 'eu-west-1', '--force')).code).toBe(0)
  process.kill(processOf('us-east-1'), 'SIGCONT')
  await eventually(async () => expect((await farshore('regions')).out).toContain('stopped: the histories differ'))
}, 120_000)
afterAll(async () => {
  for (const { pid } of regions?.regions ?? []) process.kill(pid, 'SIGCONT')
  await regions?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('a region that has stopped', { timeout: 60_000 }, () => {
  // One story, in its order.
  it('is passed over by farshore account, and taken back by farshore regions rejoin, which first says what will be lost', async () => {
    const made = await farshore('account', 'create', 'after-the-parting', '--json')
    expect(made).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^farshore: Region us-east-1 has stopped: .+ Region eu-west-1 is asked instead\.$/m),
    })
    const { accountId } = JSON.parse(made.out) as { readonly accountId: string }
    expect((await farshore('account', 'list')).out).toContain(accountId)
    expect(await farshore('account', 'delete', accountId)).toMatchObject({ code: 0 })
    expect((await farshore('account', 'list')).out).not.toContain(accountId)

    expect((await farshore('regions')).out).toContain('to take it back: farshore regions rejoin us-east-1 (docs/home-region.md)')
    const looked = await farshore('regions', 'rejoin', 'us-east-1')
    expect(looked.code).toBe(3)
    expect(looked.out).toMatch(/^us-east-1 has \d rows? that eu-west-1 has not:\n {2}row \d: bucket /)
    expect(looked.out).toMatch(/bucket home-alone-has-this made in us-east-1\nWith --discard it gives them up/)
    const done = await farshore('regions', 'rejoin', 'us-east-1', '--discard')
    expect(done).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^us-east-1 follows eu-west-1, and has given up \d rows? of its own:/),
    })
    await eventually(async () => expect((await farshore('regions')).code).toBe(0))
    const again = await farshore('regions', 'rejoin', 'us-east-1')
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('has not stopped') })
    expect(await farshore('account', 'list')).toMatchObject({ code: 0, err: '' })
  })
})
