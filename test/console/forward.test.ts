import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import aws4 from 'aws4'
import { describe, expect, it } from 'vitest'
import { eventually, linkBuckets, type PairRegion, versionedBucket } from '../support/regions-pair.ts'
import { Browser, openConsolePair, root } from './browser.ts'

const near = '/api/s3/us-east-1/near-shore'

describe('S3 through the console', () => {
  it('stores, lists, reads and deletes with the headers that the page says', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    await browser.signIn()
    const key = `a folder/ü+%25 <img onerror=x>.txt`
    const path = `${near}/${key.split('/').map(encodeURIComponent).join('/')}`
    const put = await browser.ask(path, {
      method: 'PUT',
      headers: {
        'content-type': 'text/plain',
        'x-amz-meta-who': 'anna',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'cache-control': 'no-cache',
      },
      body: 'a text',
    })
    expect(put.status).toBe(200)
    expect(put.headers.get('x-amz-version-id')).toBeTruthy()
    const stored = await source.s3.send(new HeadObjectCommand({ Bucket: 'near-shore', Key: key }))
    expect(stored).toMatchObject({ ContentType: 'text/plain', Metadata: { who: 'anna' }, StorageClass: 'REDUCED_REDUNDANCY' })
    expect(stored.CacheControl).toBeUndefined()
    const listed = await browser.ask(`${near}?list-type=2&prefix=${encodeURIComponent('a folder/ü+')}`)
    expect(listed).toMatchObject({ status: 200, text: expect.stringContaining('&lt;img onerror=x&gt;') })
    const read = await browser.ask(path, { headers: { range: 'bytes=2-5' } })
    expect(read).toMatchObject({ status: 206, text: 'text' })
    expect(read.headers.get('content-range')).toBe('bytes 2-5/6')
    const head = await browser.ask(path, { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, text: '' })
    expect(head.headers.get('content-length')).toBe('6')
    expect((await browser.ask(path, { headers: { 'if-none-match': stored.ETag ?? '' } })).status).toBe(304)
    expect((await browser.ask(path, { method: 'DELETE' })).status).toBe(204)
    expect((await browser.ask(path)).status).toBe(404)
  })

  it('makes a bucket, stores nothing at all, and carries every byte of metadata', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    await browser.signIn()
    expect((await browser.ask(near, { method: 'PUT' })).status).toBe(200)
    expect((await browser.ask(`${near}/nothing`, { method: 'PUT', body: '' })).status).toBe(200)
    expect((await browser.ask(`${near}/nothing`)).headers.get('content-length')).toBe('0')
    for (const value of ['ü €  twice', '\u00fc\u00ff']) {
      const bytes = value.includes('€') ? Buffer.from(value).toString('latin1') : value
      const put = await browser.ask(`${near}/named`, { method: 'PUT', headers: { 'x-amz-meta-name': bytes }, body: 'x' })
      expect(put.status).toBe(200)
      const got = await browser.ask(`${near}/named`)
      expect({ status: got.status, name: got.headers.get('x-amz-meta-name') }).toEqual({
        status: 200,
        name: await directly(source, 'named'),
      })
    }
  })

  it('hands objects out for the disk alone, whatever they say of themselves', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const evil = { Bucket: 'near-shore', ContentType: 'text/html', Body: '<script>alert(1)</script>' }
    await source.s3.send(new PutObjectCommand({ ...evil, Key: 'evil.html', ContentDisposition: 'inline', CacheControl: 'public' }))
    const browser = new Browser(source)
    await browser.signIn()
    const seen = await browser.ask(`${near}/evil.html`)
    expect(seen.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'; frame-ancestors 'none'")
    expect(seen.headers.get('x-content-type-options')).toBe('nosniff')
    expect(seen.headers.get('content-disposition')).toBe('attachment')
    expect(seen.headers.get('cache-control')).toBe('no-store')
    const asked = encodeURIComponent('attachment; filename="a.html"')
    const named = await browser.ask(`${near}/evil.html?response-content-disposition=${asked}`)
    expect(named.headers.get('content-disposition')).toBe('attachment; filename="a.html"')
    const shown = await browser.ask(`${near}/evil.html?response-content-disposition=inline`)
    expect(shown.headers.get('content-disposition')).toBe('attachment')
  })

  it('keeps cookies and what browsers say of themselves from the region', async () => {
    const { source, log } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    await browser.signIn()
    // Any of these, passed on, would break the signature or its date.
    const headers = {
      authorization: 'AWS4-HMAC-SHA256 Credential=x',
      'x-amz-date': '20000101T000000Z',
      'x-amz-security-token': 'x',
      'x-amz-content-sha256': 'x',
      'x-forwarded-for': '1.2.3.4',
      origin: source.adminUrl,
    }
    expect((await browser.ask(`${near}/k`, { method: 'PUT', headers, body: 'x' })).status).toBe(200)
    expect(log()).not.toContain(browser.cookie ?? 'none')
  })

  it('uploads in parts', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    await browser.signIn()
    const begun = await browser.ask(`${near}/large?uploads`, { method: 'POST' })
    const uploadId = encodeURIComponent(/<UploadId>([^<]+)</.exec(begun.text)?.[1] ?? '')
    const parts = [randomBytes(5 * 1024 * 1024), randomBytes(100)]
    const etags = await Promise.all(
      parts.map(async (body, i) => {
        const seen = await browser.ask(`${near}/large?partNumber=${i + 1}&uploadId=${uploadId}`, { method: 'PUT', body })
        return seen.headers.get('etag')
      }),
    )
    const document = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join('')
    const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${document}</CompleteMultipartUpload>`
    const done = await browser.ask(`${near}/large?uploadId=${uploadId}`, { method: 'POST', body })
    expect(done).toMatchObject({ status: 200, text: expect.stringContaining('CompleteMultipartUploadResult') })
    const stored = await source.s3.send(new GetObjectCommand({ Bucket: 'near-shore', Key: 'large' }))
    expect(Buffer.from((await stored.Body?.transformToByteArray()) ?? []).equals(Buffer.concat(parts))).toBe(true)
  })

  it('streams large bodies both ways, and gives up with the browser', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    await browser.signIn()
    const body = randomBytes(64 * 1024 * 1024)
    expect((await browser.ask(`${near}/large`, { method: 'PUT', body })).status).toBe(200)
    const aborting = new AbortController()
    const answer = await browser.fetch(`${near}/large`, { signal: aborting.signal })
    const reader = answer.body?.getReader()
    await reader?.read()
    // A reader that stands still holds the region back: it would be done with what is gathered on the way.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await answered(source, 'GetObject')).toEqual([])
    aborting.abort()
    await expect(reader?.read()).rejects.toThrow()
    const whole = Buffer.from(await (await browser.fetch(`${near}/large`)).arrayBuffer())
    expect(whole.equals(body)).toBe(true)
    await eventually(async () => expect(await answered(source, 'GetObject')).toHaveLength(2))
  })

  it('leaves no object of an upload that breaks off', async () => {
    const { source } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    const browser = new Browser(source)
    await browser.signIn()
    const { port, host } = new URL(source.adminUrl)
    const socket = connect(Number(port), '127.0.0.1')
    const head = [`PUT ${near}/broken HTTP/1.1`, `Host: ${host}`, `Cookie: ${browser.cookie}`, `X-Csrf-Token: ${browser.csrfToken}`]
    socket.write([...head, 'Content-Length: 1000000', '', 'x'.repeat(100_000)].join('\r\n'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect((await browser.ask(`${near}/broken`)).status).toBe(404)
    expect((await browser.ask(`${near}/after`, { method: 'PUT', body: 'x' })).status).toBe(200)
  })

  it('answers a refusal though a body is still under way', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    await browser.signIn()
    const seen = await browser.ask('/api/s3/us-east-1/no-such-bucket/k', { method: 'PUT', body: randomBytes(4 * 1024 * 1024) })
    expect(seen).toMatchObject({ status: 404, text: expect.stringContaining('NoSuchBucket') })
  })

  it('speaks to every region, and says where a bucket lives without going there', async () => {
    const { source, destination } = await openConsolePair()
    await versionedBucket(destination, 'far-shore')
    const browser = new Browser(source)
    await browser.signIn()
    expect((await browser.ask('/api/s3/eu-west-1/far-shore/k', { method: 'PUT', body: 'x' })).status).toBe(200)
    const elsewhere = await eventually(async () => {
      const seen = await browser.ask('/api/s3/us-east-1/far-shore/k')
      if (seen.status !== 301) throw new Error(`${seen.status}`)
      return seen
    })
    expect(elsewhere.headers.get('x-amz-bucket-region')).toBe('eu-west-1')
    expect(elsewhere.headers.get('location')).toBeNull()
    await destination.stop()
    const away = await browser.ask('/api/s3/eu-west-1/far-shore/k')
    expect(away.status).toBe(502)
    expect(JSON.parse(away.text)).toMatchObject({ code: 'RegionUnreachable', message: expect.stringContaining('eu-west-1') })
  })

  it('lets a user do what the user may, and nothing more', async () => {
    const { source, iam } = await openConsolePair()
    await versionedBucket(source, 'near-shore')
    await versionedBucket(source, 'other-shore')
    await iam.send(new CreateUserCommand({ UserName: 'anna' }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'anna' }))
    const Statement = [{ Effect: 'Allow', Action: 's3:*', Resource: ['arn:aws:s3:::near-shore', 'arn:aws:s3:::near-shore/*'] }]
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
    await iam.send(new PutUserPolicyCommand({ UserName: 'anna', PolicyName: 'one', PolicyDocument }))
    const browser = new Browser(source)
    const { caller } = await browser.signIn({ accessKeyId: AccessKey?.AccessKeyId, secretAccessKey: AccessKey?.SecretAccessKey })
    expect(caller).toMatchObject({ arn: expect.stringContaining('user/anna'), isOperator: false })
    expect((await browser.ask(`${near}/k`, { method: 'PUT', body: 'x' })).status).toBe(200)
    expect((await browser.ask(`${near}?list-type=2`)).status).toBe(200)
    const refused = [
      await browser.ask('/api/s3/us-east-1/other-shore?list-type=2'),
      await browser.ask('/api/s3/us-east-1/other-shore/k', { method: 'PUT', body: 'x' }),
      await browser.ask('/api/iam/us-east-1', { method: 'POST', body: 'Action=ListUsers&Version=2010-05-08' }),
      await browser.ask('/api/admin/us-east-1/region'),
      await browser.post('/api/admin/us-east-1/console/link', {}),
      await browser.post('/api/admin/us-east-1/accounts', { displayName: 'mine' }),
    ]
    for (const { status, text } of refused)
      expect({ status, text }).toMatchObject({ status: 403, text: expect.stringContaining('AccessDenied') })
    expect((await browser.ask('/api/session')).status).toBe(200)
  })
})

describe('the other APIs through the console', () => {
  it('are IAM and STS as they answer', async () => {
    const { source } = await openConsolePair()
    const browser = new Browser(source)
    await browser.signIn()
    const made = await browser.ask('/api/iam/us-east-1', { method: 'POST', body: 'Action=CreateUser&UserName=anna&Version=2010-05-08' })
    expect(made).toMatchObject({ status: 200, text: expect.stringContaining('<UserName>anna</UserName>') })
    const who = await browser.ask('/api/sts/eu-west-1', { method: 'POST', body: 'Action=GetCallerIdentity&Version=2011-06-15' })
    expect(who).toMatchObject({ status: 200, text: expect.stringContaining(':root</Arn>') })
    expect(who.headers.get('content-security-policy')).toContain('sandbox')
    const large = await browser.ask('/api/iam/us-east-1', { method: 'POST', body: 'x'.repeat(300_000) })
    expect(large.status).toBe(413)
  })

  it('are the admin APIs of all regions', async () => {
    const pair = await openConsolePair()
    await linkBuckets(pair)
    const browser = new Browser(pair.source)
    await browser.signIn()
    const region = await browser.ask('/api/admin/eu-west-1/region')
    expect(JSON.parse(region.text)).toMatchObject({ region: 'eu-west-1', home: 'us-east-1' })
    const rules = await browser.ask('/api/admin/us-east-1/replication')
    expect(JSON.parse(rules.text)).toMatchObject({ rules: [{ bucket: 'near-shore' }] })
    const account = await browser.post('/api/admin/us-east-1/accounts', { displayName: 'somebody' })
    expect(JSON.parse(account.text)).toMatchObject({ displayName: 'somebody' })
  })

  it('hide the person’s key from every answer and every log', async () => {
    const pair = await openConsolePair()
    await linkBuckets(pair)
    const browser = new Browser(pair.source)
    const seen = [JSON.stringify(await browser.signIn())]
    for (const path of ['/api/session', '/api/s3/us-east-1/', '/api/admin/us-east-1/region', '/', '/api/s3/us-east-1/near-shore/no-such']) {
      const answer = await browser.ask(path)
      seen.push(answer.text, JSON.stringify([...answer.headers]))
    }
    for (const text of [...seen, pair.log()]) {
      expect(text).not.toContain(root.secretAccessKey)
    }
    expect(pair.log()).not.toContain(browser.csrfToken ?? 'none')
  })
})

/** What S3 itself says of the metadata, byte for byte. */
async function directly({ adminUrl, s3 }: PairRegion, key: string): Promise<string | null> {
  await s3.send(new HeadObjectCommand({ Bucket: 'near-shore', Key: key }))
  const path = `/near-shore/${key}`
  const host = `127.0.0.1:${Number(new URL(adminUrl).port) - 1}`
  const { headers } = aws4.sign({ service: 's3', region: 'us-east-1', host, path }, root)
  return (await fetch(`http://${host}${path}`, { headers: headers as Record<string, string> })).headers.get('x-amz-meta-name') // aws4 writes text
}

/** Requests of an operation that the region is done with. */
async function answered(region: PairRegion, operation: string): Promise<readonly object[]> {
  const { requests } = await region.admin<{ requests: readonly { operation: string | null }[] }>('/admin/v1/activity')
  return requests.filter((request) => request.operation === operation)
}
