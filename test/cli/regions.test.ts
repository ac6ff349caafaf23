import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/regions-pair.ts'
import { freePorts, type Up, up } from '../support/up.ts'
import { binary, run } from './processes.ts'

interface Said {
  readonly regions: readonly {
    readonly region: string
    readonly rows: number
    readonly rowsBehind: number | null
    readonly state: object
  }[]
  readonly silent: readonly string[]
}

let folder = ''
let regions: Up

async function farshore(args: readonly string[], environment: Record<string, string> = {}) {
  const running = run(['regions', ...args], { entry: binary, environment })
  return { code: await running.exit, out: running.stdout(), err: running.stderr() }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-cli-'))
  regions = await up(['--regions', 'us-east-1,eu-west-1', '--data', folder, '--port', String(await freePorts()), '--no-restart'])
})
afterAll(async () => {
  await regions?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('farshore regions', () => {
  // One story, in its order.
  it('tells who keeps the log, who follows, and who is away', { timeout: 60_000 }, async () => {
    const [home, other] = regions.regions
    const credentials = { accessKeyId: regions.accessKeyId, secretAccessKey: regions.secretAccessKey }
    const near = new S3Client({ endpoint: home?.s3 ?? '', region: 'us-east-1', credentials, forcePathStyle: true })
    await near.send(new CreateBucketCommand({ Bucket: 'a-row-of-the-log' }))
    await eventually(async () => {
      const { code, out } = await farshore(['--data', folder, '--json'])
      const links = [{ region: expect.any(String), isReachable: true, awaySince: null, why: null }]
      const said = JSON.parse(out) as Said
      const state = { rows: 3, digest: expect.stringMatching(/^[0-9a-f]{64}$/) }
      const each = { home: 'us-east-1', epoch: 1, rows: 3, homeRows: 3, stopped: null, rowsBehind: 0, state, differsFrom: null, links }
      expect(said.regions[0]?.state).toEqual(said.regions[1]?.state)
      expect(said).toEqual({
        regions: [
          { region: 'us-east-1', ...each },
          { region: 'eu-west-1', ...each },
        ],
        silent: [],
      })
      expect(code).toBe(0)
    })
    expect((await farshore(['--data', folder])).out.trim().split('\n')).toEqual([
      'us-east-1: home, epoch 1, 3 rows, up to date',
      'eu-west-1: follows us-east-1, epoch 1, 3 rows, up to date',
    ])

    // A follower alone says what it last heard of home.
    const environment = { AWS_ACCESS_KEY_ID: regions.accessKeyId, AWS_SECRET_ACCESS_KEY: regions.secretAccessKey }
    const alone = await farshore(['--endpoint', other?.console ?? '', '--json'], environment)
    expect(alone.code).toBe(0)
    expect((JSON.parse(alone.out) as Said).regions).toMatchObject([{ region: 'eu-west-1', rows: 3, rowsBehind: 0 }])

    const promote = (args: readonly string[], more: Record<string, string> = {}) => farshore(['promote', ...args], more)
    expect(await promote(['eu-west-1', '--data', folder])).toMatchObject({
      code: 0,
      out: 'eu-west-1 is home, epoch 2, 4 rows; us-east-1 has handed over\n',
    })
    expect(JSON.parse((await promote(['eu-west-1', '--data', folder, '--json'])).out)).toMatchObject({
      region: 'eu-west-1',
      epoch: 2,
      forced: false,
    })
    expect(await promote(['nowhere', '--data', folder])).toMatchObject({
      code: 2,
      err: expect.stringContaining('There is no region nowhere here'),
    })
    expect(await promote(['us-east-1', '--endpoint', other?.console ?? ''], environment)).toMatchObject({
      code: 2,
      err: expect.stringContaining('is the address of region eu-west-1'),
    })
    await near.send(new CreateBucketCommand({ Bucket: 'written-by-the-new-home' }))

    process.kill(other?.pid ?? 0, 'SIGKILL')
    await eventually(async () => {
      const refused = await promote(['us-east-1', '--data', folder])
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('--force') })
    })
    expect((await farshore(['--data', folder])).out).toMatch(
      /^us-east-1: follows eu-west-1, epoch 2, 5 rows, up to date when eu-west-1 was last heard\n {2}does not reach eu-west-1 since /,
    )
    const forced = await promote(['us-east-1', '--data', folder, '--force'])
    expect(forced.code).toBe(0)
    expect(forced.out).toMatch(
      /^us-east-1 is home, epoch 3, 6 rows, without eu-west-1\n {2}may be lost: changes that region eu-west-1 has made since/,
    )
    await near.send(new CreateBucketCommand({ Bucket: 'written-by-the-old-home' }))

    await eventually(async () => {
      const away = await farshore(['--data', folder])
      expect(away.code).toBe(1)
      expect(away.out).toMatch(/^us-east-1: home, epoch 3, 7 rows, up to date\n {2}does not reach eu-west-1 since \d{4}-\S+Z: .+\n$/)
      expect(away.err.trim()).toMatch(/^farshore: Region eu-west-1 cannot be reached at http:\S+\.$/)
    })
    expect((JSON.parse((await farshore(['--data', folder, '--json'])).out) as Said).silent).toEqual(['eu-west-1'])
  })

  it('says of an address that takes connections and never answers that it does not answer in time', { timeout: 60_000 }, async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo // a listening TCP server has an address of this kind
    const environment = { AWS_ACCESS_KEY_ID: regions.accessKeyId, AWS_SECRET_ACCESS_KEY: regions.secretAccessKey }
    try {
      expect(await farshore(['--endpoint', `http://127.0.0.1:${port}`], environment)).toMatchObject({
        code: 1,
        err: `farshore: What listens does not answer in time at http://127.0.0.1:${port}.\n`,
      })
    } finally {
      silent.close()
    }
  })

  it('is for the root key alone', async () => {
    const admin = regions.regions[0]?.console ?? ''
    const wrong = { AWS_ACCESS_KEY_ID: regions.accessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong' }
    expect((await fetch(`${admin}/admin/v1/region`)).status).toBe(403)
    const promoting = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"force":true}' }
    expect((await fetch(`${admin}/admin/v1/region/promote`, promoting)).status).toBe(403)
    expect(await farshore(['promote', 'us-east-1', '--endpoint', admin, '--force'], wrong)).toMatchObject({ code: 1 })
    expect(await farshore(['--endpoint', admin], wrong)).toMatchObject({
      code: 1,
      err: expect.stringContaining('SignatureDoesNotMatch'),
    })
  })
})
