/** A server that is asked for more than it can do refuses the rest at once, and lets no slow client take a place. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readWhole } from '../../src/s3/auth/body.ts'
import { operation } from '../../src/s3/define.ts'
import { named } from './operations.ts'
import { eventually, exchange, head, RawClient, startServer, type TestServer } from './support.ts'

const maxRequests = 2
let atWork = 0
let release: () => void = () => undefined
let held = Promise.resolve()

const operations = [
  named('GetObject', 'GET /{Bucket}/{Key+}', {
    async handle() {
      atWork += 1
      await held
      atWork -= 1
      return { status: 200 }
    },
  }),
  operation({
    name: 'PutObject',
    route: 'PUT /{Bucket}/{Key+}',
    action: 's3:PutObject',
    input: {},
    body: 'stream',
    errors: [],
    async handle(_context, _input, body) {
      atWork += 1
      await readWhole(body, { maxBytes: 100 })
      atWork -= 1
      return { status: 200 }
    },
  }),
]

let server: TestServer
beforeAll(async () => {
  const limits = { maxConnections: 100, headersTimeoutMs: 5000, idleTimeoutMs: 5000, keepAliveTimeoutMs: 5000, drainTimeoutMs: 500 }
  server = await startServer(operations, { settings: { limits: { ...limits, maxRequests } } })
})
afterAll(() => server.close())

beforeEach(() => {
  held = new Promise((resolve) => {
    release = resolve
  })
})

function hold(): RawClient {
  const client = new RawClient(server.port)
  client.send(head('GET /pictures/k', { Connection: 'close' }))
  return client
}

async function takeAllPlaces(): Promise<readonly RawClient[]> {
  const clients = Array.from({ length: maxRequests }, hold)
  await eventually(() => atWork === maxRequests, 'all places to be taken')
  return clients
}

describe('a server at which all places are taken', () => {
  it('answers 503 SlowDown with Retry-After, and takes the next when one is free', async () => {
    const clients = await takeAllPlaces()
    const refused = await exchange(server.port, head('GET /pictures/k'))
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(refused.body).toContain('<Code>SlowDown</Code>')
    release()
    for (const client of clients) expect((await client.ended()).status).toBe(200)
    expect((await exchange(server.port, head('GET /pictures/k'))).status).toBe(200)
  })

  it('still answers health checks', async () => {
    const clients = await takeAllPlaces()
    expect((await exchange(server.port, head('GET /_health/ready'))).status).toBe(200)
    release()
    await Promise.all(clients.map((client) => client.ended()))
  })

  it('logs one line for many refusals', async () => {
    const clients = await takeAllPlaces()
    const before = server.lines.length
    for (let n = 0; n < 5; n++) await exchange(server.port, head('GET /pictures/k'))
    expect(server.lines.length - before).toBeLessThanOrEqual(1)
    release()
    await Promise.all(clients.map((client) => client.ended()))
  })
})

describe('a client that is slow to send', () => {
  it('takes no place while it is waited for, and is not refused afterwards', async () => {
    const slow = Array.from({ length: 2 * maxRequests }, () => {
      const client = new RawClient(server.port)
      client.send(`${head('PUT /pictures/k', { 'content-length': 4, connection: 'close' })}ab`)
      return client
    })
    await eventually(() => atWork === slow.length, 'all uploads to be begun')
    release()
    expect((await exchange(server.port, head('GET /pictures/k'))).status).toBe(200)
    for (const client of slow) client.send('cd')
    for (const client of slow) expect((await client.ended()).status).toBe(200)
  })
})
