/** Objects larger than the memory they may cost: streamed in, streamed out, also to a reader that takes its time. */
import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Client, createBucket, expectStatus } from './client.ts'
import { randomFrom } from './random.ts'
import { memoryOf, type Region, startRegion } from './region.ts'
import { encodePath, signRequest } from './signer.ts'

const bucket = 'memory'
const mib = 1024 * 1024
const growthMaxMib = 150
/** Where the slow reader stops for a while, so often that it meets every buffer of the server full. */
const pauseEveryMib = 16
const pauseMs = 25
const block = randomFrom(7).bytes(mib)

let folder = ''
let region: Region

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farshore-memory-'))
  region = await startRegion({ folder })
  const client = new Client(region.port, { connections: 1 })
  await createBucket(client, bucket)
  // What the first request loads is no growth.
  expectStatus(await client.send({ method: 'PUT', bucket, key: 'first', body: block }), 200)
  expectStatus(await client.send({ method: 'GET', bucket, key: 'first' }), 200)
  await client.close()
})
afterEach(async () => {
  await region?.kill()
  rmSync(folder, { recursive: true, force: true })
})

describe('a large object', () => {
  it.each([
    { sizeMib: 1024, isSigned: false },
    { sizeMib: 512, isSigned: true },
  ])('costs less than 150 MiB of memory: $sizeMib MiB, payload signed: $isSigned', { timeout: 180_000 }, async ({ sizeMib, isSigned }) => {
    const before = memoryOf(region.pid)
    const sums = sumsOf(sizeMib)
    const started = performance.now()
    const etag = await put({ sizeMib, payload: isSigned ? sums.sha256 : 'UNSIGNED-PAYLOAD' })
    const stored = performance.now()
    const got = await getSlowly(sizeMib)
    const { peakMib } = memoryOf(region.pid)
    const seconds = [stored - started, performance.now() - stored].map((ms) => (ms / 1000).toFixed(1))
    process.stdout.write(
      `memory: ${sizeMib} MiB in ${seconds[0]} s, out in ${seconds[1]} s, peak ${Math.round(peakMib)} MiB (${Math.round(before.peakMib)} before)\n`,
    )
    expect(etag).toBe(`"${sums.md5}"`)
    expect(got).toBe(sums.md5)
    expect(peakMib - before.peakMib).toBeLessThan(growthMaxMib)
  })
})

interface Sums {
  readonly md5: string
  readonly sha256: string
}

/** Every block says its number, so that no two are equal. */
function numbered(n: number): Buffer {
  block.writeUInt32BE(n, 0)
  return block
}

function sumsOf(sizeMib: number): Sums {
  const hashes = ['md5', 'sha256'].map((name) => createHash(name))
  for (let n = 0; n < sizeMib; n++) for (const hash of hashes) hash.update(numbered(n))
  const [md5 = '', sha256 = ''] = hashes.map((hash) => hash.digest('hex'))
  return { md5, sha256 }
}

async function put({ sizeMib, payload }: { readonly sizeMib: number; readonly payload: string }): Promise<string | undefined> {
  const outgoing = openRequest('PUT', payload, { 'content-length': String(sizeMib * mib) })
  const answered = once(outgoing, 'response')
  for (let n = 0; n < sizeMib; n++) {
    // Written before the next block takes its place.
    await new Promise<void>((resolve, reject) => outgoing.write(numbered(n), (error) => (error ? reject(error) : resolve())))
  }
  outgoing.end()
  const [answer] = (await answered) as [IncomingMessage]
  expect(answer.statusCode).toBe(200)
  answer.resume()
  return answer.headers.etag
}

async function getSlowly(sizeMib: number): Promise<string> {
  const outgoing = openRequest('GET', 'UNSIGNED-PAYLOAD', {})
  const answered = once(outgoing, 'response')
  outgoing.end()
  const [answer] = (await answered) as [IncomingMessage]
  expect(answer.statusCode).toBe(200)
  const hash: Hash = createHash('md5')
  let receivedBytes = 0
  let pauseAtBytes = 0
  for await (const chunk of answer) {
    hash.update(chunk as Buffer) // no encoding is set
    receivedBytes += (chunk as Buffer).length
    if (receivedBytes < pauseAtBytes) continue
    pauseAtBytes += pauseEveryMib * mib
    await sleep(pauseMs)
  }
  expect(receivedBytes).toBe(sizeMib * mib)
  return hash.digest('hex')
}

function openRequest(method: string, payload: string, headers: Readonly<Record<string, string>>): ReturnType<typeof request> {
  const signed = signRequest({ method, path: encodePath(bucket, 'large'), payload })
  const all = { ...Object.fromEntries(signed.headers), ...headers }
  return request({ host: '127.0.0.1', port: region.port, method, path: signed.target, headers: all, agent: false })
}
