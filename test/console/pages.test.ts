import { rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Browser, openConsolePair } from './browser.ts'

describe('the files of the console', () => {
  it('are one page at every address of the application, with a nonce of its own', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    const nonces = new Set<string>()
    for (const path of ['/', '/console', '/sign-in', '/buckets/a/b?x=1', '/buckets/%ff%zz', '/..%2f..%2fetc', '/_peer/v1']) {
      const seen = await browser.ask(path)
      expect(seen.status).toBe(200)
      expect(seen.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(seen.headers.get('cache-control')).toBe('no-store')
      const nonce = /content="([^"]+)"/.exec(seen.text)?.[1] ?? ''
      expect(seen.headers.get('content-security-policy')).toBe(
        `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' blob: data:; connect-src 'self'; ` +
          "font-src 'self'; media-src 'self' blob:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      nonces.add(nonce)
    }
    expect(nonces.size).toBe(7)
    expect(nonces).not.toContain('__NONCE__')
  })

  it('say who may use them', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    for (const path of ['/', '/assets/main-1a2b.js', '/assets/nothing.js', '/api/session', '/api/nothing']) {
      const { headers } = await browser.ask(path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    }
  })

  it('are kept for ever where their names say what is in them', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    const seen = await browser.ask('/assets/main-1a2b.js')
    expect(seen).toMatchObject({ status: 200, text: 'export {}' })
    expect(seen.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(seen.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect((await browser.ask('/assets/main-1a2b.js', { method: 'HEAD' })).headers.get('content-length')).toBe('9')
    expect((await browser.ask('/assets/main-1a2b.js', { method: 'POST' })).status).toBe(405)
  })

  it('are all in their folder', async () => {
    const { source, folder } = await openConsolePair()
    await symlink(join(folder, '..', 'secret.js'), join(folder, 'assets', 'link.js'))
    const browser = new Browser(source)
    const ways = [
      '..%2f..%2fsecret.js',
      '%2e%2e/%2e%2e/secret.js',
      'a/../../../secret.js',
      'link.js',
      '',
      '.',
      'main-1a2b.js%00',
      '/etc/passwd',
      '..\\..\\secret.js',
    ]
    for (const way of ways) {
      const seen = await browser.ask(`/assets/${way}`)
      expect(seen.text).not.toContain('not for you')
      // fetch itself turns some of them into addresses of the application.
      if (seen.status === 200) expect(seen.headers.get('content-type')).toContain('text/html')
      else expect(seen.status).toBe(404)
    }
  })

  it('say how to build them when they are not there', async () => {
    const { source, folder } = await openConsolePair()
    await rm(folder, { recursive: true })
    const seen = await new Browser(source).ask('/')
    expect(seen).toMatchObject({ status: 200, text: expect.stringContaining('npm run build') })
    expect(seen.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  })

  it('leave the addresses of the admin API alone, and S3 clients who took this port an answer in XML', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    expect((await browser.ask('/_health/live')).text).toBe('{"live":true}')
    expect((await browser.ask('/admin/v1/region')).status).toBe(403)
    expect((await browser.ask('/admin/v1/nothing')).status).toBe(404)
    const lost = await browser.ask('/bucket/key', {
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request' },
    })
    expect(lost).toMatchObject({ status: 400, text: expect.stringContaining('<Code>InvalidRequest</Code>') })
  })
})
