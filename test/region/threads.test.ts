/** A region whose port is served by several threads: what one has answered all know, and one that dies takes nothing with it. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { sign } from 'aws4'
import { pino } from 'pino'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { stringify } from 'yaml'
import { startRegion } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { account, eventually, peeringSecret, rootKey } from '../support/regions-pair.ts'

const host = '127.0.0.1'

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** One connection, so that every request on it meets the same thread. */
class Lane {
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(port: number) {
    this.#port = port
    onTestFinished(() => this.#agent.destroy())
  }

  async send(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<Answer> {
    const signed = sign(
      {
        host: `${host}:${this.#port}`,
        service: 's3',
        region: 'us-east-1',
        method,
        path,
        body,
        headers: { ...headers, 'content-length': String(body.length) },
      },
      rootKey,
    )
    // A connection that the thread closed is opened anew by the agent, perhaps to another.
    const call = request({ host, port: this.#port, agent: this.#agent, method, path, headers: signed.headers as Record<string, string> })
    call.end(body)
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    const pieces: Buffer[] = []
    for await (const piece of response) pieces.push(piece)
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces).toString() }
  }

  /** Each thread's answers carry a name of its own. */
  async thread(): Promise<string> {
    return String((await this.send('GET', '/')).headers['x-amz-id-2'])
  }
}

/** Every worker thread that is started during a test. */
const started: Worker[] = []
beforeEach(() => {
  started.length = 0
  const listening = vi.spyOn(Worker.prototype, 'on')
  listening.mockImplementation(function (this: Worker, ...args: Parameters<Worker['on']>) {
    if (!started.includes(this)) started.push(this)
    return Worker.prototype.addListener.apply(this, args)
  })
  onTestFinished(() => listening.mockRestore())
})

async function openRegion(workers: number): Promise<{ readonly port: number; readonly adminPort: number; readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'farshore-threads-'))
  const file = join(folder, 'config.yaml')
  const settings = { region: 'us-east-1', dataDirectory: join(folder, 'data'), s3: { port: 0 }, admin: { port: 0 }, workers }
  const { accessKeyId: rootAccessKeyId, secretAccessKey: rootSecretAccessKey } = rootKey
  const credentials = { ...account, rootAccessKeyId, rootSecretAccessKey, peeringSecret }
  await writeFile(file, stringify({ ...settings, limits: { drainTimeoutMs: 500 }, log: { level: 'silent' }, credentials }))
  const { config } = await loadConfig({ file, environment: {} })
  const region = await startRegion(config, { log: pino({ level: 'silent' }) })
  onTestFinished(async () => {
    await region.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { port: region.s3Port, adminPort: region.adminPort, folder }
}

/** Connections to as many threads as are asked for, one each. */
async function lanesTo(port: number, threads: number): Promise<readonly Lane[]> {
  const found = new Map<string, Lane>()
  await eventually(async () => {
    const lane = new Lane(port)
    found.set(await lane.thread(), lane)
    expect(found.size).toBe(threads)
  })
  return [...found.values()]
}

const enabled =
  '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>'
const tagging = (value: string): string =>
  `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>k</Key><Value>${value}</Value></Tag></TagSet></Tagging>`

describe('threads of a region', () => {
  it('never answer with what another has changed: 10,000 changes, each read at once through another thread', {
    timeout: 120_000,
  }, async () => {
    const { port } = await openRegion(2)
    const wide = 8
    const pairs = await Promise.all(Array.from({ length: wide }, () => lanesTo(port, 2)))
    const stale = await Promise.all(
      pairs.map(async ([one, other], lane) => {
        if (one === undefined || other === undefined) throw new Error('there is no pair')
        const bucket = `/lane-${lane}`
        let wrong = 0
        const check = (holds: boolean): void => {
          if (!holds) wrong += 1
        }
        for (let round = 0; round < 10_000 / wide / 5; round++) {
          const [writer, reader] = round % 2 === 0 ? [one, other] : [other, one]
          const name = `${bucket}-${round}`
          await writer.send('PUT', name)
          check((await reader.send('HEAD', name)).status === 200)
          await writer.send('PUT', `${name}?versioning`, enabled)
          check((await reader.send('GET', `${name}?versioning`)).body.includes('Enabled'))
          const put = await writer.send('PUT', `${name}/key`, `body ${round}`)
          check(put.headers['x-amz-version-id'] !== undefined && (await reader.send('GET', `${name}/key`)).body === `body ${round}`)
          await writer.send('PUT', `${name}/key?tagging`, tagging(`v${round}`))
          check((await reader.send('GET', `${name}/key?tagging`)).body.includes(`v${round}`))
          await writer.send('DELETE', `${name}/key`)
          check((await reader.send('GET', `${name}/key`)).status === 404)
        }
        return wrong
      }),
    )
    expect(stale).toEqual(Array.from({ length: wide }, () => 0))
  })

  it('tell together what they answered last', async () => {
    const { port, adminPort } = await openRegion(2)
    const lanes = await lanesTo(port, 2)
    await Promise.all(lanes.map((lane, i) => lane.send('HEAD', `/of-thread-${i}`)))
    const path = '/admin/v1/activity'
    const signed = sign({ host: `${host}:${adminPort}`, service: 'farshore', region: 'us-east-1', path }, rootKey)
    const answer = await fetch(`http://${host}:${adminPort}${path}`, { headers: signed.headers as Record<string, string> }) // aws4 writes text
    const { requests } = (await answer.json()) as { requests: { bucket: string | null }[] }
    const buckets = requests.map(({ bucket }) => bucket)
    expect(buckets).toContain('of-thread-0')
    expect(buckets).toContain('of-thread-1')
  })

  it('serve on when one of them dies, lose nothing that was answered, and are as many again', { timeout: 180_000 }, async () => {
    const { port } = await openRegion(2)
    const [doomed, other] = await lanesTo(port, 2)
    if (doomed === undefined || other === undefined) throw new Error('there are no two threads')
    await other.send('PUT', '/kept')
    await other.send('PUT', '/kept?versioning', enabled)
    const before = await Promise.all([doomed.thread(), other.thread()])
    const acknowledged = new Map<string, string>()
    let isOver = false
    const load = Array.from({ length: 8 }, async (_, writer) => {
      const lane = new Lane(port)
      for (let i = 0; !isOver; i++) {
        // Small ones go into segments, large ones into files.
        const body = randomBytes(i % 10 === 0 ? 200_000 : 2_000).toString('base64')
        const answer = await lane.send('PUT', `/kept/${writer}-${i}`, body).catch(() => undefined)
        if (answer?.status === 200) acknowledged.set(`/kept/${writer}-${i}`, body)
      }
    })
    const threads = started.filter((worker) => worker.listenerCount('message') > 0)
    for (let kills = 0; kills < 4; kills++) {
      const count = acknowledged.size
      await eventually(async () => expect(acknowledged.size).toBeGreaterThan(count + 20), 60_000)
      await started.filter((worker) => worker.threadId > 0 && worker.listenerCount('message') > 0)[kills % 2]?.terminate()
    }
    isOver = true
    await Promise.all(load)
    const after = await lanesTo(port, 2)
    const names = await Promise.all(after.map((lane) => lane.thread()))
    expect(threads.length).toBeGreaterThanOrEqual(2)
    expect(names.filter((name) => before.includes(name)).length).toBeLessThan(2)
    const wrong: string[] = []
    for (const [path, body] of acknowledged) if ((await after[0]?.send('GET', path))?.body !== body) wrong.push(path)
    expect(wrong).toEqual([])
    expect(acknowledged.size).toBeGreaterThan(80)
  })

  it('replace one that ends in the same turn in which it tells why, as it does without memory', async () => {
    await openRegion(2)
    const threads = (): Worker[] => started.filter((worker) => worker.listenerCount('message') > 0)
    const [doomed] = threads()
    const before = started.length
    doomed?.emit('error', new Error('out of memory'))
    doomed?.emit('exit', 1)
    await eventually(async () => expect(started.length).toBeGreaterThan(before))
    await doomed?.terminate()
  })
})
