import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../src/lib/clock.ts'
import { PeerUnreachable } from '../../src/peers/errors.ts'
import { createPeers, type Peers } from '../../src/peers/peers.ts'
import { isPrivateHost } from '../../src/peers/private-address.ts'
import { failure, unreachable } from './failures.ts'

const protocol = { 'x-farshore-protocol': '1' }

describe('what is no region', () => {
  let server: Server
  let peers: Peers
  let answer: RequestListener
  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    const log = { error() {}, warn() {}, info() {} }
    const regions = [
      { name: 'here', endpoint: 'http://127.0.0.1:1' },
      { name: 'there', endpoint: `http://127.0.0.1:${port}` },
    ]
    const timeouts = { connectMs: 500, answerMs: 500, idleMs: 500 }
    peers = createPeers({ self: 'here', regions, peeringSecret: 's', insecurePeers: false, boot: 1, clock: systemClock, log, timeouts })
  })
  afterEach(async () => {
    await peers.close()
    server.closeAllConnections()
    server.close()
  })
  const ask = () => unreachable(peers.to('there').request({ method: 'GET', path: 'v1/x', answerMaxBytes: 1000 }))

  it.each([
    ['another web server', 200, {}, '<html>', 'stranger', /is no region of Farshore/],
    ['a redirect', 302, { location: 'http://127.0.0.1:1/' }, '', 'stranger', /302/],
    ['a proxy without its upstream', 503, {}, 'no', 'stranger', /503/],
    ['another region', 200, { ...protocol, 'x-farshore-region': 'elsewhere' }, '{}', 'stranger', /answered by region elsewhere/],
    [
      'a region of another version',
      200,
      { 'x-farshore-protocol': '9', 'x-farshore-region': 'there' },
      '{}',
      'protocol',
      /version 9 .*version 1/,
    ],
    ['an endless answer', 200, { ...protocol, 'x-farshore-region': 'there' }, 'x'.repeat(1001), 'stranger', /more than 1000 bytes/],
    ['a refusal without a reason', 400, { ...protocol, 'x-farshore-region': 'there' }, 'no', 'stranger', /400/],
  ] as const)('is %s', async (_, status, headers, body, fault, why) => {
    answer = (_request, response) => response.writeHead(status, { ...headers }).end(body)
    const error = await ask()
    expect(error).toMatchObject({ region: 'there', fault })
    expect(error.why).toMatch(why)
    expect(peers.to('there').isReachable).toBe(false)
  })

  it('is an answer that is no JSON of the expected form', async () => {
    answer = (_request, response) => response.writeHead(200, { ...protocol, 'x-farshore-region': 'there' }).end('{"a":1}')
    const given = await peers.to('there').request({ method: 'GET', path: 'v1/x' })
    expect(() => given.json(z.object({ a: z.string() }))).toThrow(PeerUnreachable)
  })

  it('is one that never answers, or stops in the middle', async () => {
    answer = () => {}
    expect(await ask()).toMatchObject({ fault: 'network', why: 'it does not answer in time' })
  })

  it('is one that breaks off in the middle of its answer', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { ...protocol, 'x-farshore-region': 'there', 'content-length': '100' })
      response.write('half', () => response.destroy())
    }
    expect(await ask()).toMatchObject({ fault: 'network' })
  })

  it("gives the caller's own reason when the caller gives up, and thinks no worse of the region", async () => {
    answer = () => {}
    const giving = new AbortController()
    const asked = failure(peers.to('there').request({ method: 'GET', path: 'v1/x', signal: giving.signal }))
    giving.abort(new Error('changed my mind'))
    expect(await asked).toMatchObject({ message: 'changed my mind' })
    expect(peers.to('there').isReachable).toBe(true)
  })

  it('is a region that is not configured', () => {
    expect(() => peers.to('nowhere')).toThrow(/nowhere cannot be reached/)
  })
})

describe('plain http', () => {
  const peersTo = (endpoint: string, insecurePeers: boolean) =>
    createPeers({
      self: 'here',
      regions: [{ name: 'there', endpoint }],
      peeringSecret: 's',
      insecurePeers,
      boot: 1,
      clock: systemClock,
      log: { error() {}, warn() {}, info() {} },
    })

  it('is refused to a public address, unless insecurePeers says so', async () => {
    expect(() => peersTo('http://203.0.113.5:9000', false)).toThrow(/there is plain http/)
    expect(() => peersTo('http://s3.example.com', false)).toThrow(/insecurePeers/)
    for (const peers of [
      peersTo('http://203.0.113.5:9000', true),
      peersTo('https://203.0.113.5', false),
      peersTo('http://10.1.2.3:9000', false),
    ]) {
      await peers.close()
    }
  })

  it('knows private addresses from public ones', () => {
    const hosts = ['localhost', '127.9.9.9', '10.0.0.1', '172.31.0.1', '192.168.1.1', '[::1]', '[fd00::1]', '::ffff:10.0.0.1']
    expect(hosts.filter((host) => !isPrivateHost(host))).toEqual([])
    const open = ['172.32.0.1', '8.8.8.8', '[2001:db8::1]', 'localhost.example.com', '0.0.0.0']
    expect(open.filter(isPrivateHost)).toEqual([])
  })
})
