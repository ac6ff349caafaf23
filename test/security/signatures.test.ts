/** What a wrong signature, or none, gets: nothing, in whatever form it comes. */
import { describe, expect, it } from 'vitest'
import type { Keys } from '../../src/access/credentials.ts'
import { type Made, madeRequest, modes, Random } from '../s3/auth/random-requests.ts'
import { accessKeyId, accountId, canonicalId, secretAccessKey, useRegion } from '../support/region.ts'
import { type Answer, keysIn, send, signingFor } from './requests.ts'

const token = 'a-token-of-temporary-credentials'
const temporary = { accessKeyId: 'ASIATEMPORARY', secretAccessKey: 'secret-of-temporary-credentials' }
const expired = { accessKeyId: 'ASIAEXPIRED', secretAccessKey: 'secret-of-expired-credentials' }

/** Temporary credentials of the root: that they are bound to their token is what is looked at. */
const temporaryKeys: Keys = {
  async find({ accessKeyId: id }) {
    const known = [temporary, expired].find((one) => one.accessKeyId === id)
    if (known === undefined) return undefined
    const arn = `arn:aws:iam::${accountId}:root`
    return {
      secretAccessKey: known.secretAccessKey,
      sessionToken: token,
      expiresMs: known === expired ? Date.now() - 60_000 : Date.now() + 60_000,
      caller: { kind: 'root', accountId, canonicalId, accessKeyId: id, arn, userId: accountId, permissions: { identity: [] } },
    }
  },
}

const region = useRegion({ keys: temporaryKeys })
const random = new Random(77)

/** @returns the answer, after nothing has been stored */
async function refused(bucket: string, made: Made): Promise<Answer> {
  const answer = await send(region(), made)
  expect(await keysIn(region(), bucket)).toEqual([])
  return answer
}

const flip = (text: string) => text.replace(/(Signature=)([0-9a-f])/, (_, name, digit) => `${name}${digit === '0' ? '1' : '0'}`)
const withHeaders = (made: Made, change: (name: string, value: string) => string): Made => ({
  ...made,
  headers: made.headers.map(([name, value]) => [name, change(name, value)] as const),
})

describe('a bad signature is refused, and nothing is stored', () => {
  it.each(modes.flatMap((mode) => [[mode, 'header'] as const, [mode, 'query'] as const]))(
    'with the payload %s, in the %s',
    async (mode, via) => {
      const bucket = await region().makeBucket()
      const made = await madeRequest(random, signingFor(region(), bucket), { mode, via })
      const bad = via === 'query' ? { ...made, target: flip(made.target) } : withHeaders(made, (_, value) => flip(value))
      expect(await refused(bucket, bad)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' })
      expect((await send(region(), made)).status).toBe(200)
    },
  )

  it.each(modes.flatMap((mode) => [[mode, 'header'] as const, [mode, 'query'] as const]))(
    'made with another secret, with the payload %s, in the %s',
    async (mode, via) => {
      const bucket = await region().makeBucket()
      const signing = { ...signingFor(region(), bucket), secretAccessKey: `${secretAccessKey}x` }
      expect(await refused(bucket, await madeRequest(random, signing, { mode, via }))).toMatchObject({ code: 'SignatureDoesNotMatch' })
    },
  )
})

const trailerBody = Buffer.from('5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n')
const trailerHeaders = [
  ['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
  ['x-amz-decoded-content-length', '5'],
  ['x-amz-trailer', 'x-amz-checksum-crc32'],
] as const
const trailerRequest = (target: string): Made => ({
  method: 'PUT',
  target,
  headers: trailerHeaders,
  body: trailerBody,
  mode: 'chunked-unsigned-trailer',
  via: 'query',
  content: Buffer.from('hello'),
})

describe('a body with an unsigned trailer', () => {
  it('does not stand in for the signature of credentials in the query', async () => {
    const bucket = await region().makeBucket()
    const stamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
    const credential = encodeURIComponent(`${accessKeyId}/${stamp.slice(0, 8)}/us-east-1/s3/aws4_request`)
    const parameters = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=${stamp}&X-Amz-Expires=60`
    for (const [rest, code] of [
      ['', 'AuthorizationQueryParametersError'],
      ['&X-Amz-SignedHeaders=host', 'AuthorizationQueryParametersError'],
      ['&X-Amz-SignedHeaders=host&X-Amz-Signature=', 'AuthorizationQueryParametersError'],
      [`&X-Amz-SignedHeaders=host&X-Amz-Signature=${'0'.repeat(64)}`, 'AccessDenied'],
      [
        `&X-Amz-SignedHeaders=host%3Bx-amz-content-sha256%3Bx-amz-decoded-content-length%3Bx-amz-trailer&X-Amz-Signature=${'0'.repeat(64)}`,
        'SignatureDoesNotMatch',
      ],
    ] as const) {
      expect((await refused(bucket, trailerRequest(`/${bucket}/k?${parameters}${rest}`))).code).toBe(code)
    }
  })

  it('does not make an anonymous request anybody', async () => {
    const bucket = await region().makeBucket()
    expect(await refused(bucket, trailerRequest(`/${bucket}/k`))).toMatchObject({ status: 403, code: 'AccessDenied' })
    const signedChunks = trailerRequest(`/${bucket}/k`)
    const claims = withHeaders(signedChunks, (name, value) =>
      name === 'x-amz-content-sha256' ? 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER' : value,
    )
    expect((await refused(bucket, claims)).code).toBe('InvalidRequest')
  })
})

describe('a session token', () => {
  const signed = (credentials: typeof temporary & { readonly sessionToken?: string }, bucket: string, via: Made['via']) =>
    madeRequest(random, { ...signingFor(region(), bucket), ...credentials }, { mode: 'unsigned', via })

  it.each(['header', 'query'] as const)('that is right is taken, in the %s', async (via) => {
    const bucket = await region().makeBucket()
    expect((await send(region(), await signed({ ...temporary, sessionToken: token }, bucket, via))).status).toBe(200)
  })

  it.each(['header', 'query'] as const)('added to the key of somebody else is refused, in the %s', async (via) => {
    const bucket = await region().makeBucket()
    const answer = await refused(bucket, await signed({ accessKeyId, secretAccessKey, sessionToken: token }, bucket, via))
    expect(answer.code).toBe('InvalidToken')
  })

  it('added after signing is refused', async () => {
    const bucket = await region().makeBucket()
    const made = await signed({ accessKeyId, secretAccessKey }, bucket, 'header')
    const added = { ...made, headers: [...made.headers, ['x-amz-security-token', token] as const] }
    expect((await refused(bucket, added)).status).toBeGreaterThanOrEqual(400)
  })

  it.each(['header', 'query'] as const)('altered is refused, signed or not, in the %s', async (via) => {
    const bucket = await region().makeBucket()
    const other = `${token.slice(0, -1)}x`
    expect((await refused(bucket, await signed({ ...temporary, sessionToken: other }, bucket, via))).code).toBe('InvalidToken')
    const made = await signed({ ...temporary, sessionToken: token }, bucket, via)
    const altered = withHeaders({ ...made, target: made.target.replace(token, other) }, (_, value) => value.replace(token, other))
    expect((await refused(bucket, altered)).code).toBe('InvalidToken')
  })

  it.each(['header', 'query'] as const)('left out is refused, in the %s', async (via) => {
    const bucket = await region().makeBucket()
    expect((await refused(bucket, await signed(temporary, bucket, via))).code).toBe('InvalidAccessKeyId')
    const made = await signed({ ...temporary, sessionToken: token }, bucket, via)
    const removed = {
      ...made,
      target: made.target.replace(/X-Amz-Security-Token=[^&]*&?/, ''),
      headers: made.headers.filter(([name]) => name !== 'x-amz-security-token'),
    }
    expect((await refused(bucket, removed)).status).toBe(403)
  })

  it('that has expired is refused', async () => {
    const bucket = await region().makeBucket()
    expect((await refused(bucket, await signed({ ...expired, sessionToken: token }, bucket, 'header'))).code).toBe('ExpiredToken')
  })
})
