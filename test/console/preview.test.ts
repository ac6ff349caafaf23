import { PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import type { PairRegion } from '../support/regions-pair.ts'
import { versionedBucket } from '../support/regions-pair.ts'
import { Browser, openConsolePair } from './browser.ts'

const path = '/preview/us-east-1/near-shore'

async function put({ s3 }: PairRegion, Key: string, ContentType: string, more: object = {}): Promise<string | undefined> {
  return (await s3.send(new PutObjectCommand({ Bucket: 'near-shore', Key, ContentType, Body: '<script>alert(1)</script>', ...more })))
    .VersionId
}

describe('a preview', () => {
  it('shows pictures, sound and text in a sandbox, markup as text', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    await browser.signIn()
    for (const [type, shown] of [
      ['image/png', 'image/png'],
      ['image/svg+xml', 'image/svg+xml'],
      ['IMAGE/JPEG; x=1', 'image/jpeg'],
      ['video/mp4', 'video/mp4'],
      ['text/html', 'text/plain; charset=utf-8'],
      ['application/xhtml+xml', 'text/plain; charset=utf-8'],
      ['application/json', 'text/plain; charset=utf-8'],
    ] as const) {
      await put(source, 'shown', type)
      const seen = await browser.ask(`${path}/shown`)
      expect({ type, status: seen.status, shown: seen.headers.get('content-type') }).toEqual({ type, status: 200, shown })
      expect(seen.headers.get('content-security-policy')).toBe(
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
      )
      expect(seen.headers.get('x-content-type-options')).toBe('nosniff')
      expect(seen.headers.get('x-frame-options')).toBe('SAMEORIGIN')
    }
  })

  it('shows nothing else', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    await browser.signIn()
    for (const [type, more] of [
      ['application/pdf', {}],
      ['application/octet-stream', {}],
      ['image/x-strange', {}],
      ['multipart/x-mixed-replace', {}],
      ['text/plain', { ContentEncoding: 'gzip' }],
    ] as const) {
      await put(source, 'hidden', type, more)
      const seen = await browser.ask(`${path}/hidden`)
      expect({ type, status: seen.status }).toEqual({ type, status: 415 })
      expect(seen.text).not.toContain('script')
    }
    expect((await browser.ask(`${path}/no-such`)).status).toBe(404)
    expect((await browser.ask(path)).status).toBe(404)
    expect((await browser.ask(`${path}/hidden`, { method: 'POST' })).status).toBe(405)
    expect((await new Browser(source).ask(`${path}/hidden`)).status).toBe(401)
  })

  it('shows the version that is asked for, and pieces of it', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const first = await put(source, 'a b/film', 'video/mp4', { Body: 'first' })
    await put(source, 'a b/film', 'video/mp4', { Body: 'second' })
    const browser = new Browser(source)
    await browser.signIn()
    expect((await browser.ask(`${path}/a%20b/film`)).text).toBe('second')
    const seen = await browser.ask(`${path}/a%20b/film?versionId=${first}`, { headers: { range: 'bytes=1-2' } })
    expect(seen).toMatchObject({ status: 206, text: 'ir' })
    expect(seen.headers.get('content-range')).toBe('bytes 1-2/5')
    expect((await browser.ask(`${path}/a%20b/film`, { headers: { range: 'bytes=900-' } })).status).toBe(416)
    // Nothing of the query goes on but the version.
    expect((await browser.ask(`${path}/a%20b/film?acl`)).text).toBe('second')
  })
})

describe('an address that is good for a while', () => {
  it('reads and writes as the person, at the address of clients', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    const { regions } = await browser.signIn()
    const of = { region: 'us-east-1', bucket: 'near-shore', key: "a b/ü+'(1)&?=.txt", expiresSeconds: 60 }
    const urlFor = async (more: object): Promise<string> => {
      const seen = await browser.post('/api/presign', { ...of, ...more })
      if (seen.status !== 200) throw new Error(seen.text)
      return (JSON.parse(seen.text) as { url: string }).url
    }
    const putUrl = await urlFor({ method: 'PUT' })
    expect(putUrl.startsWith(`${regions[0]?.s3}/near-shore/`)).toBe(true)
    const put = await fetch(putUrl, { method: 'PUT', body: 'shared' })
    expect(put.status).toBe(200)
    const versionId = put.headers.get('x-amz-version-id')
    const responseHeaders = { 'content-disposition': 'attachment; filename="a b.txt"' }
    const got = await fetch(await urlFor({ method: 'GET', versionId, responseHeaders }))
    expect(await got.text()).toBe('shared')
    expect(got.headers.get('content-disposition')).toBe('attachment; filename="a b.txt"')
    expect((await fetch(await urlFor({ method: 'GET' }), { method: 'PUT', body: 'x' })).status).toBe(403)
    for (const wrong of [
      { method: 'POST' },
      { method: 'GET', expiresSeconds: 700_000 },
      { method: 'GET', region: 'mars-1' },
      { method: 'GET', bucket: '../x' },
    ]) {
      await expect(urlFor(wrong)).rejects.toThrow(/InvalidArgument|NoSuchRegion/)
    }
  })
})
