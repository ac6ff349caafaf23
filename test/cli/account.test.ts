import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/regions-pair.ts'
import { freePorts, type Up, up } from '../support/up.ts'
import { binary, run } from './processes.ts'

interface Made {
  readonly accountId: string
  readonly canonicalId: string
  readonly displayName: string
  readonly email: string | null
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

let folder = ''
let regions: Up

async function farshore(...args: string[]) {
  const running = run(['account', ...args, '--data', folder], { entry: binary, environment: {} })
  return { code: await running.exit, out: running.stdout(), err: running.stderr() }
}

const create = async (...args: string[]): Promise<Made> => JSON.parse((await farshore('create', ...args, '--json')).out)

function clientOf(key: Made, region = 0) {
  const at = regions.regions[region]
  const credentials = { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey }
  return { endpoint: at?.s3 ?? '', region: at?.region ?? '', credentials, forcePathStyle: true, maxAttempts: 1 }
}
const list = (key: Made, region = 0) => new S3Client(clientOf(key, region)).send(new ListBucketsCommand({}))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-cli-'))
  regions = await up(['--regions', 'us-east-1,eu-west-1', '--data', folder, '--port', String(await freePorts()), '--no-restart'])
})
afterAll(async () => {
  await regions?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('farshore account', { timeout: 60_000 }, () => {
  it('makes an account whose key opens every region, and shows its secret on one line', async () => {
    const { code, out } = await farshore('create', 'Zoë & Co', '--email', 'zoe@example.org', '--json')
    expect(code).toBe(0)
    expect(out.trim().split('\n')).toHaveLength(1)
    const made = JSON.parse(out) as Made
    expect(made).toEqual({
      accountId: expect.stringMatching(/^[0-9]{12}$/),
      canonicalId: expect.stringMatching(/^[0-9a-f]{64}$/),
      displayName: 'Zoë & Co',
      email: 'zoe@example.org',
      accessKeyId: expect.stringMatching(/^AKIA[A-Z2-7]{16}$/),
      secretAccessKey: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
    })
    expect(await list(made)).toMatchObject({ Buckets: [], Owner: { ID: made.canonicalId } })
    await eventually(async () => expect((await list(made, 1)).Owner?.ID).toBe(made.canonicalId))
  })

  it('keeps accounts apart, with buckets of their own', async () => {
    const one = await create('one')
    const two = await create('two')
    const Bucket = `bucket-${one.accountId}`
    await new S3Client(clientOf(one)).send(new CreateBucketCommand({ Bucket }))
    expect((await list(one)).Buckets?.map(({ Name }) => Name)).toEqual([Bucket])
    expect((await list(two)).Buckets).toEqual([])
    const again = new S3Client(clientOf(two)).send(new CreateBucketCommand({ Bucket }))
    await expect(again).rejects.toMatchObject({ name: 'BucketAlreadyExists' })
    const { Account } = await new STSClient(clientOf(two)).send(new GetCallerIdentityCommand({}))
    expect(Account).toBe(two.accountId)
    const refused = await farshore('delete', one.accountId)
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('DeleteConflict') })
  })

  it('lists, disables, enables and deletes', async () => {
    const made = await create('short-lived')
    const { accountId, canonicalId } = made
    const listed = JSON.parse((await farshore('list', '--json')).out) as { accounts: readonly { accountId: string }[] }
    expect(listed.accounts.find((one) => one.accountId === accountId)).toEqual({
      accountId,
      canonicalId,
      displayName: 'short-lived',
      email: null,
      status: 'active',
      createdAt: expect.any(String),
    })
    expect((await farshore('disable', accountId)).out.trim()).toBe(`Account ${accountId} is disabled.`)
    await expect(list(made)).rejects.toMatchObject({ name: 'InvalidAccessKeyId' })
    expect((await farshore('list')).out).toContain(`${accountId}  disabled  ${canonicalId}  short-lived`)
    await farshore('enable', accountId)
    expect((await list(made)).Buckets).toEqual([])
    expect((await farshore('delete', accountId, '--json')).out.trim()).toBe(JSON.stringify({ accountId }))
    await expect(list(made)).rejects.toMatchObject({ name: 'InvalidAccessKeyId' })
    expect(await farshore('delete', accountId)).toMatchObject({ code: 1, err: expect.stringContaining('NoSuchEntity') })
  })

  it('gives the root of an account another key, and says which there are when it has two', async () => {
    const made = await create('forgetful')
    const { accountId } = made
    const first = await farshore('new-key', accountId, '--json')
    expect(first.out.trim().split('\n')).toHaveLength(1)
    const second = JSON.parse(first.out) as Made
    expect(second).toEqual({ accountId, accessKeyId: expect.stringMatching(/^AKIA/), secretAccessKey: expect.stringMatching(/^\w{40}$/) })
    for (const key of [made, second]) expect((await list(key)).Owner?.ID).toBe(made.canonicalId)
    const refused = await farshore('new-key', accountId)
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('LimitExceeded') })
    for (const { accessKeyId } of [made, second]) expect(refused.err).toContain(accessKeyId)
    const third = JSON.parse((await farshore('new-key', accountId, '--replace', made.accessKeyId, '--json')).out) as Made
    expect((await list(third)).Owner?.ID).toBe(made.canonicalId)
    await expect(list(made)).rejects.toMatchObject({ name: 'InvalidAccessKeyId' })
    expect((await farshore('new-key', accountId, '--replace', second.accessKeyId)).out).toMatch(/another key.+\n {2}access key id {6}AKIA/)
    expect(await farshore('new-key', '999999999999')).toMatchObject({ code: 1, err: expect.stringContaining('NoSuchEntity') })
    const ofAnother = await farshore('new-key', accountId, '--replace', (await create('another')).accessKeyId)
    expect(ofAnother).toMatchObject({ code: 1, err: expect.stringContaining('NoSuchEntity') })
  })

  it('gives a name once', async () => {
    const { accountId } = await create('harbour')
    const refused = await farshore('create', 'harbour', '--json')
    expect(refused).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(`There is an account named harbour already: ${accountId}.`),
    })
  })

  it('has the account of the configuration, which stays', async () => {
    const listed = JSON.parse((await farshore('list', '--json')).out) as { accounts: readonly { accountId: string; displayName: string }[] }
    const first = listed.accounts.find(({ displayName }) => displayName === 'root')
    expect((await farshore('list')).out).toMatch(new RegExp(`^${first?.accountId} .+  root \\(the operator\\)$`, 'm'))
    for (const word of ['disable', 'delete', 'new-key']) {
      expect(await farshore(word, first?.accountId ?? '')).toMatchObject({ code: 1, err: expect.stringContaining('InvalidRequest') })
    }
  })

  it.each([
    ['a name that is empty', ['create', ''], 'The name of an account (displayName) has 1 to 128 printable characters.'],
    [
      'an address that is none',
      ['create', 'x', '--email', 'nobody'],
      'The e-mail address (email) is none: it reads like name@example.org.',
    ],
    ['an id that is none', ['disable', '../x'], 'An account id has twelve digits.'],
    ['a key for an id that is none', ['new-key', '../x'], 'An account id has twelve digits.'],
  ])('refuses %s', async (_, args, words) => {
    expect(await farshore(...args)).toMatchObject({ code: 1, err: expect.stringContaining(`InvalidArgument ${words}`) })
  })

  it('writes no secret to any log or row', async () => {
    const made = await create('canary')
    await list(made)
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0))
      expect([entry.name, bytes.includes(made.secretAccessKey)]).toEqual([entry.name, false])
    }
  })
})
