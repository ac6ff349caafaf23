import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { versionedBucket } from '../support/regions-pair.ts'
import { Browser, openConsolePair, root } from './browser.ts'

const list = '/api/s3/us-east-1/'
const presign = { region: 'us-east-1', bucket: 'any-bucket', key: 'k', method: 'GET', expiresSeconds: 60 }

describe('requests that change something', () => {
  it('need the token of the session', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    const { csrfToken } = await browser.signIn()
    const other = await new Browser(source).signIn()
    for (const token of ['', 'x', other.csrfToken, `${csrfToken}x`]) {
      const headers = { 'x-csrf-token': token }
      const seen = [
        await browser.ask('/api/s3/us-east-1/new-bucket', { method: 'PUT', headers }),
        await browser.post('/api/iam/us-east-1', 'Action=ListUsers', headers),
        await browser.post('/api/admin/us-east-1/accounts', { displayName: 'x' }, headers),
        await browser.post('/api/presign', presign, headers),
        await browser.ask('/api/session', { method: 'DELETE', headers }),
      ]
      for (const { status, text } of seen)
        expect({ status, text }).toMatchObject({ status: 403, text: expect.stringContaining('InvalidCsrfToken') })
    }
    expect((await browser.post('/api/presign', presign)).status).toBe(200)
    expect((await browser.ask('/api/s3/us-east-1/new-bucket', { method: 'HEAD' })).status).toBe(404)
  })

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another port of this host', { 'sec-fetch-site': 'same-site' }],
    ['nowhere', { 'sec-fetch-site': 'none' }],
  ])('are refused from %s, token and all', async (_, headers) => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    await browser.signIn()
    for (const seen of [
      await browser.post('/api/presign', presign, headers),
      await browser.post('/api/session', root, headers),
      await browser.ask('/api/s3/us-east-1/new-bucket', { method: 'PUT', headers }),
    ]) {
      expect(seen.status).toBe(403)
      expect(seen.text).toContain('CrossOrigin')
    }
  })

  it('are judged by their Origin where a browser says no more', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    await browser.signIn()
    const { host, port } = new URL(source.adminUrl)
    const from = (origin: string): Promise<number | undefined> =>
      statusOf(port, [
        'POST /api/presign HTTP/1.1',
        `Host: ${host}`,
        `Origin: ${origin}`,
        `Cookie: ${browser.cookie}`,
        `X-Csrf-Token: ${browser.csrfToken}`,
        'Content-Type: application/json',
        `Content-Length: ${JSON.stringify(presign).length}`,
        '',
        JSON.stringify(presign),
      ])
    expect(await from(source.adminUrl)).toBe(200)
    expect(await from('http://evil.example')).toBe(403)
    expect(await from('http://127.0.0.1:9000')).toBe(403)
    expect(await from('null')).toBe(403)
  })
})

describe('requests that only read', () => {
  it('are refused from other sites and other ports', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    await browser.signIn()
    for (const site of ['cross-site', 'same-site']) {
      for (const path of [list, '/api/session', '/api/admin/us-east-1/region', '/preview/us-east-1/near-shore/a.png']) {
        expect((await browser.ask(path, { headers: { 'sec-fetch-site': site } })).status).toBe(403)
      }
    }
    expect((await browser.ask(list)).status).toBe(200)
  })

  it('have no answer for scripts of other origins', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    await browser.signIn()
    const seen = await browser.ask(list)
    expect(seen.headers.get('access-control-allow-origin')).toBeNull()
    expect(seen.headers.get('cross-origin-resource-policy')).toBe('same-origin')
    const preflight = await browser.ask(list, {
      method: 'OPTIONS',
      headers: { origin: 'http://evil.example', 'access-control-request-method': 'PUT' },
    })
    expect(preflight.status).toBeGreaterThanOrEqual(400)
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('addresses', () => {
  it.each([
    ['a region that is not configured', '/api/s3/mars-1/', 404],
    ['an address instead of a region', '/api/s3/127.0.0.1:22/', 404],
    ['a host instead of a region', '/api/s3/@evil.example/', 404],
    ['a region of the object prototype', '/api/s3/constructor/', 404],
    ['what regions say to each other', '/api/s3/us-east-1/_peer/v1/hello', 404],
    ['the same, escaped', '/api/s3/us-east-1/%5fpeer/v1/hello', 404],
    ['the same, behind slashes', '/api/s3/us-east-1//_peer/v1/hello', 404],
    ['a way up from the admin API', '/api/admin/us-east-1/../../_health/live', 404],
    ['a way up, escaped', '/api/admin/us-east-1/%2e%2e/%2e%2e/_health/live', 404],
    ['no service', '/api/ec2/us-east-1', 404],
    ['nothing', '/api/', 404],
    ['a region of its own for sts', '/api/sts/mars-1', 405],
  ])('lead nowhere with %s', async (_, path, status) => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    await browser.signIn()
    const { host, port } = new URL(source.adminUrl)
    // As it stands: fetch would tidy the path up.
    expect(await statusOf(port, [`GET ${path} HTTP/1.1`, `Host: ${host}`, `Cookie: ${browser.cookie}`, '', ''])).toBe(status)
  })

  it('of a proxy are refused', async () => {
    const { source } = await openConsolePair()
    const { host, port } = new URL(source.adminUrl)
    expect(await statusOf(port, ['GET http://127.0.0.1:1/api/session HTTP/1.1', `Host: ${host}`, '', ''])).toBe(400)
    expect(await statusOf(port, ['OPTIONS * HTTP/1.1', `Host: ${host}`, '', ''])).toBe(400)
  })

  it('and bodies that could be read in two ways are refused', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    await browser.signIn()
    const { host, port } = new URL(source.adminUrl)
    const put = (...lines: string[]): Promise<number | undefined> =>
      statusOf(port, [
        'PUT /api/s3/us-east-1/near-shore/k HTTP/1.1',
        `Host: ${host}`,
        `Cookie: ${browser.cookie}`,
        `X-Csrf-Token: ${browser.csrfToken}`,
        ...lines,
      ])
    expect(await put('Transfer-Encoding: chunked', '', '1', 'x', '0', '', '')).toBe(411)
    expect(await put('Content-Length: 3', 'Transfer-Encoding: chunked', '', '0', '', '')).toBe(400)
    expect(await put('Content-Length: 3', 'Content-Length: 4', '', 'abcd')).toBe(400)
    expect(await put('Content-Length: 3', '', 'abc')).toBe(200)
  })
})

/** Of an answer to a request that is written out. */
function statusOf(port: string, lines: readonly string[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(lines.join('\r\n')))
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    socket.once('data', (data) => {
      socket.destroy()
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(data.toString('latin1'))?.[1]))
    })
  })
}
