import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { S3Error } from '../../src/model/errors.ts'
import { probeIntervalMs } from '../../src/peers/breaker.ts'
import { createPeerKeys } from '../../src/peers/credentials.ts'
import { PeerUnreachable } from '../../src/peers/errors.ts'
import { jsonBody } from '../../src/peers/json-body.ts'
import { peerRoute, peerStreamRoute } from '../../src/peers/routes.ts'
import { account, bucketOf, Deployment, eventually, type Node, signedRequest } from '../control/nodes.ts'
import { failure, refused, unreachable } from './failures.ts'

const secret = 'the secret between the regions'
const europeKeys = createPeerKeys({ self: 'eu-west-1', peers: ['us-east-1'], peeringSecret: secret })
const rootKey = { accessKeyId: account.rootAccessKeyId, secretAccessKey: account.rootSecretAccessKey }
const protocol = { 'x-farshore-protocol': '1' }

describe('between two regions', () => {
  let deployment: Deployment
  let america: Node
  let europe: Node
  beforeEach(async () => {
    deployment = await Deployment.plan('us-east-1', 'eu-west-1')
    america = await deployment.start('us-east-1')
    america.peers.routes.add(
      peerRoute({
        method: 'POST',
        path: 'v1/echo/{word}',
        query: z.object({ n: z.coerce.number() }),
        body: z.object({ text: z.string() }),
        handle: ({ from }, { params, query, body }) => Promise.resolve({ from, params, query, body }),
      }),
      peerStreamRoute({
        method: 'PUT',
        path: 'v1/length',
        async handle(_, { headers, body }) {
          let length = 0
          for await (const piece of body) length += piece.length
          return { length, note: headers['x-farshore-note'] }
        },
      }),
      peerRoute({
        method: 'GET',
        path: 'v1/fail/{code}',
        handle(_, { params }) {
          if (params.code === 'bug') throw new TypeError('a secret of the implementation')
          throw new S3Error(params.code as 'NoSuchKey', { message: 'said so', details: { Key: 'k' } }) // the test gives real codes
        },
      }),
    )
    europe = await deployment.start('eu-west-1')
  })
  afterEach(() => deployment.close())

  it('carries JSON both ways, path and query decoded', async () => {
    const path = `v1/echo/${encodeURIComponent('a b/ü')}`
    const answer = await europe.peers.to('us-east-1').request({ method: 'POST', path, query: { n: 7 }, ...jsonBody({ text: 'grüße' }) })
    expect(answer.json(z.unknown())).toEqual({ from: 'eu-west-1', params: { word: 'a b/ü' }, query: { n: 7 }, body: { text: 'grüße' } })
  })

  it('carries a stream of unknown length with signed headers', async () => {
    async function* pieces() {
      for (let i = 0; i < 40; i += 1) yield Buffer.alloc(100_000)
    }
    const answer = await europe.peers
      .to('us-east-1')
      .request({ method: 'PUT', path: 'v1/length', body: pieces(), headers: { 'x-farshore-note': 'n' } })
    expect(answer.json(z.unknown())).toEqual({ length: 4_000_000, note: 'n' })
  })

  it("tells a stream's own failure from the network's", async () => {
    async function* pieces() {
      yield Buffer.alloc(100_000)
      throw new RangeError('rotten')
    }
    const peer = europe.peers.to('us-east-1')
    expect(await failure(peer.request({ method: 'PUT', path: 'v1/length', body: pieces() }))).toMatchObject({ message: 'rotten' })
    expect(peer.isReachable).toBe(true)
  })

  it('sends no Buffer of more than 8 MiB', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024 + 1)
    expect(await failure(europe.peers.to('us-east-1').request({ method: 'PUT', path: 'v1/length', body }))).toBeInstanceOf(RangeError)
    const whole = await europe.peers.to('us-east-1').request({ method: 'PUT', path: 'v1/length', body: body.subarray(1) })
    expect(whole.json(z.unknown())).toEqual({ length: 8 * 1024 * 1024 })
  })

  it('keeps the code, text and details of a refusal', async () => {
    const error = await refused(europe.peers.to('us-east-1').request({ method: 'GET', path: 'v1/fail/NoSuchKey' }))
    expect(error).toMatchObject({ region: 'us-east-1', code: 'NoSuchKey', status: 404, message: 'said so', details: { Key: 'k' } })
    expect(error.toS3Error()).toMatchObject({ code: 'NoSuchKey', details: { Key: 'k' } })
  })

  it('takes trouble inside the other region for trouble, and goes on speaking to it', async () => {
    const peer = europe.peers.to('us-east-1')
    const error = await unreachable(peer.request({ method: 'GET', path: 'v1/fail/bug' }))
    expect(error).toMatchObject({ region: 'us-east-1', fault: 'server' })
    expect(error.message).not.toContain('secret')
    expect(america.log.some(({ message }) => message === 'message of a region failed')).toBe(true)
    expect(await unreachable(peer.request({ method: 'GET', path: 'v1/fail/SlowDown' }))).toMatchObject({ fault: 'server' })
    expect(peer.isReachable).toBe(true)
  })

  it('answers 404 to what it does not know, and 400 to what it does not understand', async () => {
    const peer = europe.peers.to('us-east-1')
    expect(await refused(peer.request({ method: 'GET', path: 'v1/nothing' }))).toMatchObject({ code: 'NotFound', status: 404 })
    const bad = { method: 'POST', path: 'v1/echo/x', query: { n: 1 }, ...jsonBody({ text: 5 }) } as const
    expect(await refused(peer.request(bad))).toMatchObject({ code: 'InvalidRequest', status: 400 })
    const noJson = { ...bad, body: Buffer.from('{') }
    expect(await refused(peer.request(noJson))).toMatchObject({ code: 'InvalidRequest', status: 400 })
    const broken = { ...bad, path: 'v1/echo/%ff' }
    expect((await failure(peer.request(broken))) instanceof Error).toBe(true)
    expect(peer.isReachable).toBe(true)
  })

  it('reads no JSON of more than 1 MiB', async () => {
    const body = jsonBody({ text: 'x'.repeat(1024 * 1024) })
    const error = await refused(europe.peers.to('us-east-1').request({ method: 'POST', path: 'v1/echo/x', query: { n: 1 }, ...body }))
    expect(error.code).toBe('EntityTooLarge')
  })

  describe('who may speak', () => {
    const path = '/_peer/v1/control/rows?after=0&hash=&waitMs=0'
    const ask = (key: { accessKeyId: string; secretAccessKey: string }, more: Partial<Parameters<typeof signedRequest>[2]> = {}) =>
      signedRequest(deployment.link('us-east-1').endpoint, key, { method: 'GET', path, region: 'us-east-1', headers: protocol, ...more })

    it('is a region with the key of its pair', async () => {
      const answer = await ask(europeKeys.outgoing('us-east-1'))
      expect(answer.status).toBe(200)
      expect(answer.headers).toMatchObject({ 'x-farshore-protocol': '1', 'x-farshore-region': 'us-east-1' })
    })

    it('is not whoever has another peering secret', async () => {
      const strangers = createPeerKeys({ self: 'eu-west-1', peers: ['us-east-1'], peeringSecret: `${secret}!` })
      const answer = await ask(strangers.outgoing('us-east-1'))
      expect(answer.status).toBe(403)
      expect(answer.text).toContain('SignatureDoesNotMatch')
    })

    it('is not whoever has the key of the other direction, or of another pair', async () => {
      const other = createPeerKeys({ self: 'us-east-1', peers: ['eu-west-1', 'ap-south-1'], peeringSecret: secret })
      const { accessKeyId } = europeKeys.outgoing('us-east-1')
      const turned = { accessKeyId, secretAccessKey: other.outgoing('eu-west-1').secretAccessKey }
      expect((await ask(turned)).status).toBe(403)
      expect(turned.secretAccessKey).not.toBe(europeKeys.outgoing('us-east-1').secretAccessKey)
      expect((await ask({ accessKeyId: 'farshore-peer-ap-south-1', secretAccessKey: 'x' })).text).toContain('InvalidAccessKeyId')
    })

    it('is not root, and not nobody', async () => {
      const asRoot = await ask(rootKey)
      expect(asRoot.status).toBe(403)
      expect(asRoot.text).toContain('<Code>AccessDenied</Code>')
      const anonymous = await fetch(deployment.link('us-east-1').endpoint + path, { headers: protocol })
      expect(anonymous.status).toBe(403)
      await anonymous.text()
    })

    it('is not a region with a body or a header that it did not sign', async () => {
      const key = europeKeys.outgoing('us-east-1')
      const unsignedBody = { ...protocol, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
      const post = { method: 'POST', path: '/_peer/v1/hello', body: '{"region":"eu-west-1","boot":1}' } as const
      const answer = await ask(key, { ...post, headers: unsignedBody })
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([403, { code: 'AccessDenied' }])
      expect((await ask(key, post)).status).toBe(200)
      const added = await ask(key, { unsignedHeaders: { 'x-farshore-note': 'mine' } })
      expect([added.status, added.text]).toMatchObject([403, expect.stringContaining('<HeadersNotSigned>x-farshore-note<')])
    })

    it('does not reach S3 with the key of a region', async () => {
      const key = europeKeys.outgoing('us-east-1')
      await america.control.createBucket(bucketOf('some-bucket'))
      for (const s3Path of ['/', '/some-bucket']) {
        const answer = await ask(key, { path: s3Path, headers: {} })
        expect([answer.status, answer.text]).toMatchObject([403, expect.stringContaining('<Code>AccessDenied<')])
      }
      expect((await ask(rootKey, { path: '/', headers: {} })).status).toBe(200)
    })

    it('is told so, when its secret is another, in words that name the region', async () => {
      await deployment.stop('eu-west-1')
      europe = await deployment.start('eu-west-1', { peeringSecret: 'another secret' })
      const peer = europe.peers.to('us-east-1')
      await eventually(() => !peer.isReachable, 'the refusal')
      const error = await unreachable(peer.request({ method: 'GET', path: 'v1/nothing' }))
      expect(error.message).toMatch(/us-east-1 .*does not accept this region's signature \(SignatureDoesNotMatch/)
      // Being ready is not enough: only a signed greeting ends it.
      const before = deployment.link('us-east-1').requests.length
      await eventually(
        () =>
          deployment
            .link('us-east-1')
            .requests.slice(before)
            .filter((line) => line.includes('ready')).length >= 2,
        'two probes',
      )
      expect(europe.log.filter(({ message }) => message === 'region is back')).toEqual([])
      expect(peer.isReachable).toBe(false)
    })

    it('is not a region of another protocol version', async () => {
      const answer = await ask(europeKeys.outgoing('us-east-1'), { headers: { 'x-farshore-protocol': '2' } })
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'ProtocolMismatch', message: expect.stringContaining('version 1') })
    })
  })

  describe('the breaker', () => {
    it('sends no work to a region that is away, and at most one probe a second', async () => {
      const link = deployment.link('us-east-1')
      const peer = europe.peers.to('us-east-1')
      await deployment.stop('us-east-1')
      // Somebody listens there, and closes every connection.
      await unreachable(peer.request({ method: 'GET', path: 'v1/nothing' }))
      expect(peer.status()).toMatchObject({ fault: 'network' })
      link.target = await blackHole()
      // What was on its way when the region went is through before its first probe, or, of two who asked at once, before its second.
      await expect.poll(() => link.requests.at(-1), { timeout: 3 * probeIntervalMs }).toBe('GET /_health/ready HTTP')
      link.requests.length = 0
      const began = performance.now()
      let tries = 0
      while (performance.now() - began < 2_500) {
        expect(await unreachable(peer.request({ method: 'GET', path: 'v1/nothing' }))).toMatchObject({ fault: 'waiting' })
        tries += 1
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      expect(tries).toBeGreaterThan(100)
      expect(new Set(link.requests)).toEqual(new Set(['GET /_health/ready HTTP']))
      expect(link.requests.length).toBeGreaterThanOrEqual(2)
      expect(link.requests.length).toBeLessThanOrEqual(4)
    })

    it('notices within two seconds that a region is back, whatever it did while it was away', async () => {
      const link = deployment.link('us-east-1')
      const peer = europe.peers.to('us-east-1')
      for (const kind of ['down', 'hang'] as const) {
        await link.set({ kind })
        expect(await unreachable(peer.request({ method: 'GET', path: 'v1/nothing' }))).toBeInstanceOf(PeerUnreachable)
        const waiting = peer.waitUntilReachable(new AbortController().signal)
        if (kind === 'hang') await eventually(() => peer.status().state === 'half-open', 'a probe that hangs')
        await link.set({ kind: 'up' })
        const began = performance.now()
        await waiting
        expect(performance.now() - began).toBeLessThan(2_000)
        expect(peer.status()).toEqual({ state: 'closed' })
      }
    })

    it('closes at once when the region greets', async () => {
      await deployment.stop('us-east-1')
      const peer = europe.peers.to('us-east-1')
      await unreachable(peer.request({ method: 'GET', path: 'v1/nothing' }))
      const waits: number[] = []
      for (let i = 0; i < 3; i += 1) {
        america = await deployment.start('us-east-1')
        waits.push(await eventually(() => peer.isReachable, 'the greeting to be heard'))
        await deployment.stop('us-east-1')
        await eventually(() => !peer.isReachable, 'Europe to notice')
      }
      expect(Math.min(...waits)).toBeLessThan(200)
      expect(europe.peers.status()).toMatchObject([{ region: 'us-east-1', boot: 4 }])
    })

    it('lets go of whoever waits when the region stops', async () => {
      await deployment.stop('us-east-1')
      const peer = europe.peers.to('us-east-1')
      await unreachable(peer.request({ method: 'GET', path: 'v1/nothing' }))
      const gone = unreachable(peer.waitUntilReachable(new AbortController().signal))
      await deployment.stop('eu-west-1')
      expect((await gone).why).toContain('stopping')
    })
  })

  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      server.close()
    }
  })

  /** A port that takes requests and answers none. */
  async function blackHole(): Promise<number> {
    const server = createServer(() => {})
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }
})
