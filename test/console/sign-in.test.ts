import { CreateAccessKeyCommand, CreateUserCommand, UpdateAccessKeyCommand } from '@aws-sdk/client-iam'
import aws4 from 'aws4'
import { describe, expect, it } from 'vitest'
import { account, eventually, type PairRegion, rootKey } from '../support/regions-pair.ts'
import { Browser, openConsolePair, root } from './browser.ts'

describe('signing in to the console', () => {
  it('gives a session for a key, with all regions as they are reached', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    expect((await browser.ask('/api/session')).status).toBe(401)
    const described = await browser.signIn()
    expect(described).toMatchObject({
      caller: { accountId: account.accountId, arn: `arn:aws:iam::${account.accountId}:root`, isOperator: true },
      self: 'us-east-1',
      home: 'us-east-1',
    })
    expect(described.regions).toEqual([
      { name: 'us-east-1', isSelf: true, s3: expect.stringMatching(/^http:/), isReachable: true, roundTripMs: expect.any(Number) },
      { name: 'eu-west-1', isSelf: false, s3: expect.stringMatching(/^http:/), isReachable: true, roundTripMs: expect.any(Number) },
    ])
    const again = await browser.ask('/api/session')
    expect(again.status).toBe(200)
    expect(JSON.parse(again.text)).toMatchObject({ csrfToken: described.csrfToken, caller: described.caller })
  })

  it('keeps the session in a cookie that no script reads and no other site sends', async () => {
    const { source } = await openConsolePair()
    const plain = await new Browser(source).post('/api/session', root)
    expect(plain.headers.get('set-cookie')).toMatch(/^farshore_console=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
    const behindTls = await new Browser(source).post('/api/session', root, { 'x-forwarded-proto': 'https' })
    expect(behindTls.headers.get('set-cookie')).toMatch(/; Secure$/)
    expect(plain.text).not.toContain(root.secretAccessKey)
    expect(plain.headers.get('cache-control')).toBe('no-store')
  })

  it('takes no name of a session that somebody else chose, and ends the one before', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    browser.cookie = 'farshore_console=chosen'
    await browser.signIn()
    expect(browser.cookie).not.toBe('farshore_console=chosen')
    const first = browser.cookie ?? ''
    await browser.signIn()
    expect(browser.cookie).not.toBe(first)
    expect((await browser.ask('/api/session', { headers: { cookie: first } })).status).toBe(401)
    // A cookie that another port of this host has put beside it.
    expect((await browser.ask('/api/session', { headers: { cookie: `${browser.cookie}; farshore_console=other` } })).status).toBe(401)
  })

  it('refuses a wrong secret and an unknown key, and says no secret', async () => {
    const { source, log } = await openConsolePair()
    const canary = 'canary-of-a-secret-0123456789'
    const wrong = await new Browser(source).post('/api/session', { ...root, secretAccessKey: canary })
    expect(wrong.status).toBe(403)
    expect(JSON.parse(wrong.text)).toMatchObject({ code: 'SignatureDoesNotMatch', message: expect.any(String) })
    const unknown = await new Browser(source).post('/api/session', { accessKeyId: 'AKIANOBODY', secretAccessKey: canary })
    expect(unknown.status).toBe(403)
    for (const seen of [wrong, unknown]) {
      expect(seen.text).not.toContain(canary)
      expect(seen.headers.get('set-cookie')).toBeNull()
    }
    expect(log()).toContain('a sign-in to the console was refused')
    expect(log()).not.toContain(canary)
  })

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['a number for a key', { accessKeyId: 1, secretAccessKey: 'x' }],
    ['a line end in an id', { accessKeyId: 'A\r\nHost: elsewhere', secretAccessKey: 'x' }],
    ['a line end in a token', { accessKeyId: 'AKIA', secretAccessKey: 'x', sessionToken: 'a\r\nb: c' }],
    ['a link and a key', { ...root, link: 'x' }],
    ['a large secret', { accessKeyId: 'AKIA', secretAccessKey: 'x'.repeat(600) }],
  ])('refuses %s instead of a key', async (_, body) => {
    const { source } = await openConsolePair()
    const seen = await new Browser(source).post('/api/session', body)
    expect([400, 415]).toContain(seen.status)
  })

  it('refuses a body that is large, no JSON, or a form of another page', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    const send = (body: string, type = 'application/json') =>
      browser.ask('/api/session', { method: 'POST', headers: { 'content-type': type }, body })
    expect((await send('x'.repeat(40_000))).status).toBe(413)
    expect((await send('{')).status).toBe(400)
    expect((await send(JSON.stringify(root), 'text/plain')).status).toBe(415)
  })

  it('slows down whoever tries many keys', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    for (let i = 0; i < 20; i++) {
      expect((await browser.post('/api/session', { ...root, secretAccessKey: `wrong-${i}` })).status).toBe(403)
    }
    const slowed = await browser.post('/api/session', root)
    expect(slowed).toMatchObject({ status: 429 })
    expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  it('ends at the server', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    await browser.signIn()
    const cookie = browser.cookie ?? ''
    const ended = await browser.ask('/api/session', { method: 'DELETE' })
    expect(ended.status).toBe(204)
    expect(ended.headers.get('set-cookie')).toContain('Max-Age=0')
    expect((await browser.ask('/api/session', { headers: { cookie } })).status).toBe(401)
    expect((await browser.ask('/api/s3/us-east-1/', { headers: { cookie } })).status).toBe(401)
  })

  it('ends when the key does not work any more', async () => {
    const { source, iam } = await openConsolePair()
    await iam.send(new CreateUserCommand({ UserName: 'anna' }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'anna' }))
    const key = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
    const browsers = [new Browser(source), new Browser(source)] as const
    for (const browser of browsers) expect((await browser.signIn(key)).caller).toMatchObject({ isOperator: false })
    await iam.send(new UpdateAccessKeyCommand({ UserName: 'anna', AccessKeyId: key.accessKeyId, Status: 'Inactive' }))
    expect((await browsers[0].ask('/api/session')).status).toBe(401)
    expect((await browsers[1].ask('/api/s3/us-east-1/')).status).toBe(401)
    await iam.send(new UpdateAccessKeyCommand({ UserName: 'anna', AccessKeyId: key.accessKeyId, Status: 'Active' }))
    for (const browser of browsers) expect((await browser.ask('/api/s3/us-east-1/')).status).toBe(401)
  })
})

describe('a sign-in link', () => {
  it('signs the operator in, once, and stands in no log', async () => {
    const { source, log } = await openConsolePair()
    const { token } = await linkOf(source)
    expect(token).toMatch(/^[\w-]{43}$/)
    const browser = new Browser(source)
    expect((await browser.signIn({ link: token })).caller.isOperator).toBe(true)
    const again = await new Browser(source).post('/api/session', { link: token })
    expect(again.status).toBe(403)
    expect(JSON.parse(again.text)).toMatchObject({ code: 'InvalidLink' })
    expect(log()).not.toContain(token)
    expect(log()).not.toContain(root.secretAccessKey)
  })

  it('is made for the signed root alone, and is of one region', async () => {
    const { source, destination } = await openConsolePair()
    const unsigned = await fetch(`${source.adminUrl}/admin/v1/console/link`, { method: 'POST' })
    expect(unsigned.status).toBe(403)
    const { token } = await linkOf(source)
    expect((await new Browser(destination).post('/api/session', { link: token })).status).toBe(403)
  })
})

async function linkOf({ adminUrl }: PairRegion): Promise<{ token: string; expiresAt: string }> {
  const path = '/admin/v1/console/link'
  const signed = aws4.sign({ service: 'farshore', region: 'us-east-1', method: 'POST', host: new URL(adminUrl).host, path }, rootKey)
  return await eventually(async () => {
    const answer = await fetch(adminUrl + path, { method: 'POST', headers: signed.headers as Record<string, string> }) // aws4 writes text
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as { token: string; expiresAt: string }
  })
}
