import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import aws4 from 'aws4'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { createPeerKeys } from '../../src/peers/credentials.ts'
import {
  eventually,
  type Failed,
  forbid,
  linkBuckets,
  openPair,
  type PairRegion,
  peeringSecret,
  type Rules,
  rootKey,
} from '../support/regions-pair.ts'

const rulesPath = '/admin/v1/replication'
const failedPath = '/admin/v1/replication/failed'
const accountsPath = '/admin/v1/accounts'
const damagePath = '/admin/v1/damage'
const lifecyclePath = '/admin/v1/lifecycle'

interface Signing {
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly service?: string
  readonly region?: string
  readonly method?: string
  /** What is asked for in the end, when it is not what was signed. */
  readonly sentPath?: string
  readonly date?: Date
  readonly isPresigned?: boolean
}

async function ask(
  { adminUrl }: PairRegion,
  path: string,
  signing: Signing = {},
): Promise<{ status: number; code: unknown; text: string }> {
  const { key = rootKey, service = 'farshore', region = 'us-east-1', method = 'GET', sentPath, date, isPresigned = false } = signing
  const said = date === undefined ? {} : { 'X-Amz-Date': date.toISOString().replace(/[-:]|\.\d+/g, '') }
  const signed = aws4.sign(
    {
      service,
      region,
      method,
      host: new URL(adminUrl).host,
      path: isPresigned ? `${path}${path.includes('?') ? '&' : '?'}X-Amz-Expires=60` : path,
      headers: isPresigned ? {} : said,
      signQuery: isPresigned,
    },
    key,
  )
  const headers = signed.headers as Record<string, string> // aws4 writes text
  return await answerOf(`${adminUrl}${sentPath ?? signed.path}`, { method, headers })
}

async function answerOf(url: string, init: RequestInit = {}): Promise<{ status: number; code: unknown; text: string }> {
  const answer = await fetch(url, init)
  const text = await answer.text()
  const code = text.startsWith('{') ? (JSON.parse(text) as { code?: unknown }).code : undefined
  return { status: answer.status, code, text }
}

describe('the admin listener', () => {
  it('answers the root key, signed for service farshore', async () => {
    const { source } = await openPair()
    expect(await ask(source, rulesPath)).toMatchObject({ status: 200, text: '{"rules":[]}' })
    expect(await ask(source, failedPath)).toMatchObject({ status: 200, text: '{"objects":[]}' })
  })

  it('lists versions whose content is damaged, which a GET says instead of giving it', async () => {
    const { source } = await openPair()
    await source.s3.send(new CreateBucketCommand({ Bucket: 'damaged' }))
    await source.s3.send(new PutObjectCommand({ Bucket: 'damaged', Key: 'a/b', Body: 'x'.repeat(300_000) }))
    await source.stop()
    for (const entry of readdirSync(join(source.folder, 'blobs', 'files'), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) writeFileSync(join(entry.parentPath, entry.name), 'y', { flag: 'r+' })
    }
    // As if the period were over.
    const database = new Database(join(source.folder, 'metadata', 'metadata.db'))
    database.exec("DELETE FROM facts WHERE name = 'scrub'")
    database.close()
    await source.start()
    const list = () => source.admin<{ versions: object[] }>(damagePath)
    await eventually(async () => expect((await list()).versions).toHaveLength(1))
    expect(await list()).toEqual({
      versions: [
        {
          bucket: 'damaged',
          key: 'a/b',
          versionId: 'null',
          part: null,
          reason: expect.stringContaining('block 0'),
          foundAt: expect.any(String),
        },
      ],
    })
    const answer = source.s3.send(new GetObjectCommand({ Bucket: 'damaged', Key: 'a/b' }))
    await expect(answer).rejects.toMatchObject({ name: 'InternalError', message: expect.stringContaining('damaged') })
    expect(await source.s3.send(new HeadObjectCommand({ Bucket: 'damaged', Key: 'a/b' }))).toMatchObject({ ContentLength: 300_000 })
  })

  it('refuses whoever else asks, and whatever else was signed', async () => {
    const pair = await openPair()
    const { source } = pair
    const wrongSecret = { ...rootKey, secretAccessKey: `${rootKey.secretAccessKey}!` }
    for (const path of [rulesPath, failedPath, damagePath, lifecyclePath, `${lifecyclePath}/moves`, `${lifecyclePath}/preview`]) {
      expect(await answerOf(`${source.adminUrl}${path}`)).toMatchObject({ status: 403, code: 'AccessDenied' })
      expect(await ask(source, path, { service: 's3' })).toMatchObject({ status: 403, code: 'AccessDenied' })
      expect(await ask(source, path, { service: 'sts' })).toMatchObject({ status: 403, code: 'AccessDenied' })
      expect(await ask(source, path, { key: wrongSecret })).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
      expect(await ask(source, path, { key: wrongSecret, isPresigned: true })).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
      expect(await ask(source, path, { key: { ...rootKey, accessKeyId: 'AKIANOBODY' } })).toMatchObject({
        status: 403,
        code: 'InvalidAccessKeyId',
      })
      expect(await ask(source, path, { region: 'mars-1' })).toMatchObject({ status: 400, code: 'AuthorizationHeaderMalformed' })
      expect(await ask(source, path, { date: new Date(Date.now() - 16 * 60_000) })).toMatchObject({
        status: 403,
        code: 'RequestTimeTooSkewed',
      })
    }
    expect(await ask(source, rulesPath, { sentPath: failedPath })).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
  })

  it('refuses the credential of a peer, which opens the way of replication and nothing more', async () => {
    const { source } = await openPair()
    const peer = createPeerKeys({ self: 'eu-west-1', peers: ['us-east-1'], peeringSecret }).outgoing('us-east-1')
    for (const service of ['farshore', 's3']) {
      const { status, text } = await ask(source, rulesPath, { key: peer, service })
      expect(status).toBe(403)
      expect(text).not.toContain('rules')
    }
  })

  it('is the first account’s alone: the root of another is refused everything', async () => {
    const { source } = await openPair()
    const body = JSON.stringify({ displayName: 'other' })
    const post = async (sent: string, key: Signing['key'] = rootKey) => {
      const host = new URL(source.adminUrl).host
      const signed = aws4.sign(
        { service: 'farshore', region: 'us-east-1', method: 'POST', host, path: accountsPath, headers: {}, body },
        key,
      )
      const headers = signed.headers as Record<string, string> // aws4 writes text
      return await answerOf(`${source.adminUrl}${accountsPath}`, { method: 'POST', headers, body: sent })
    }
    const made = await post(body)
    expect(made.status).toBe(200)
    const key = JSON.parse(made.text) as { accessKeyId: string; secretAccessKey: string }
    for (const path of [rulesPath, failedPath, damagePath, lifecyclePath, accountsPath, '/admin/v1/region']) {
      expect(await ask(source, path, { key })).toMatchObject({ status: 403, code: 'AccessDenied' })
    }
    expect(await post(body, key)).toMatchObject({ status: 403, code: 'AccessDenied' })
    // The signature covers what is sent.
    const accounts = async () => (JSON.parse((await ask(source, accountsPath)).text) as { accounts: unknown[] }).accounts.length
    const before = await accounts()
    expect(await post(body.replace('other', 'third'))).toMatchObject({ status: 403 })
    expect(await accounts()).toBe(before)
  })

  it('refuses a place in the list that no answer named', async () => {
    const { source } = await openPair()
    const id = { bucketId: 'b', key: 'k', versionId: 'v', destination: 'd' }
    const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const bad = ['', 'nonsense', encoded(null), encoded([]), encoded({}), encoded({ ...id, more: 1 }), encoded({ ...id, key: 7 })]
    for (const after of [...bad, encoded({ ...id, key: {} }), 'x&after=y']) {
      expect(await ask(source, `${failedPath}?after=${after}`)).toMatchObject({ status: 400, code: 'InvalidArgument' })
    }
    expect(await ask(source, `${failedPath}?after=${encoded(id)}`)).toMatchObject({ status: 200, text: '{"objects":[]}' })
    const long = await answerOf(`${source.adminUrl}${failedPath}?after=${'x'.repeat(20_000)}`)
    expect([400, 414, 431]).toContain(long.status)
  })

  it('names every failed version once, over several pages', { timeout: 60_000 }, async () => {
    const pair = await openPair()
    const { near } = await linkBuckets(pair)
    await forbid(pair, 'replicator')
    const made = new Set<string>()
    for (let at = 0; at < 1010; at += 30) {
      const keys = Array.from({ length: Math.min(30, 1010 - at) }, (_, i) => `key-${(at + i) % 400}`)
      for (const { VersionId = '' } of await Promise.all(
        keys.map((Key) => pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key, Body: 'x' }))),
      ))
        made.add(VersionId)
    }
    await eventually(async () => expect((await pair.source.admin<Rules>(rulesPath)).rules[0]?.failed).toBe(1010))

    const first = await pair.source.admin<Failed & { next?: string }>(failedPath)
    expect(first.objects).toHaveLength(1000)
    const second = await pair.source.admin<Failed & { next?: string }>(`${failedPath}?after=${first.next}`)
    expect(second).not.toHaveProperty('next')
    const named = [...first.objects, ...second.objects].map(({ versionId }) => versionId)
    expect(named).toHaveLength(1010)
    expect(new Set(named)).toEqual(made)
  })

  it('knows no other address, no other method and no body, and says so without a failure of its own', async () => {
    const { source } = await openPair()
    for (const path of ['/admin', '/admin/v1', '/admin/v1/nothing', `${rulesPath}/`, '/admin/v1/replication%2Ffailed', '/_health']) {
      expect(await ask(source, path)).toMatchObject({ status: 404, code: 'NotFound' })
    }
    for (const method of ['POST', 'PUT', 'DELETE']) {
      expect(await ask(source, rulesPath, { method })).toMatchObject({ status: 404, code: 'NotFound' })
    }
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: 'x'.repeat(5000) }
    const large = await answerOf(`${source.adminUrl}${rulesPath}`, init)
    expect([404, 413]).toContain(large.status)
    expect((await answerOf(`${source.adminUrl}/admin/%`)).status).toBe(400)
    // Every other address is the console's.
    for (const path of ['/%', '/..%2f']) expect((await answerOf(`${source.adminUrl}${path}`)).status).toBe(200)
  })

  it('tells anybody whether the region is alive and ready, and nothing more', async () => {
    const { source } = await openPair()
    expect(await answerOf(`${source.adminUrl}/_health/live`)).toMatchObject({ status: 200, text: '{"live":true}' })
    expect(await answerOf(`${source.adminUrl}/_health/ready`)).toMatchObject({ status: 200, text: '{"ready":true,"reasons":[]}' })
    expect((await answerOf(`${source.adminUrl}/`)).status).toBe(200)
  })
})
