/**
 * Large uploads side by side, then large downloads by slow readers: what the region's process, with as many threads as it starts by itself, takes of
 * memory stays below a bound.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, createBucket } from '../../test/limits/client.ts'
import { randomFrom } from '../../test/limits/random.ts'
import { memoryOf, startRegion } from '../../test/limits/region.ts'
import { encodePath, signRequest } from '../../test/limits/signer.ts'
import { quickStarts } from './environment.ts'
import type { Rig, RigOptions, RigReport } from './rig.ts'
import { warmUp } from './warm-up.ts'

const mib = 1024 * 1024
const bucket = 'memory'
const transfers = 8
/** Of all threads together, shared pages counted: each serving thread has a heap of its own. */
const rssMaxMib = 350
const shortMib = 128
const longMib = 5 * 1024
const controlMib = 96
/** So slow that a region which does not wait for them gathers most of what it is to send. */
const controlPauseMs = 250
/** A slow reader stops for a while so often. */
const pauseEveryMib = 8
const readerPauseMs = 20
const hastyAnswers = fileURLToPath(new URL('./planted/hasty-answers.ts', import.meta.url))

export const memory: Rig = {
  name: 'memory',
  purpose: 'sends and takes large objects side by side, slowly',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'farshore-rig-memory-'))
    try {
      return await run(folder, options)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function run(folder: string, { seed, minutes, say }: RigOptions): Promise<RigReport> {
  await warmUp({ folder: join(folder, 'warm-up'), rigFolder: folder })
  const common = { rigFolder: folder, block: randomFrom(seed).bytes(mib) }
  // One thread, for others would not carry the lie.
  const lie = await transferAll({
    ...common,
    folder: join(folder, 'lie'),
    sizeMib: controlMib,
    pauseMs: controlPauseMs,
    settings: { workers: 1 },
    entry: hastyAnswers,
  })
  const isCaught = lie.violations.some((violation) => violation.includes('MiB of memory'))
  say(`answers that wait for no reader: ${lie.said}`)
  const untilMs = minutes === undefined ? 0 : performance.now() + minutes * 60_000
  const violations: string[] = []
  let tried = 0
  let passed = 0
  do {
    const place = join(folder, `transfer-${tried}`)
    const sizeMib = minutes === undefined ? shortMib : longMib
    const { violations: found, said } = await transferAll({ ...common, folder: place, sizeMib, pauseMs: readerPauseMs, settings: {} })
    rmSync(place, { recursive: true, force: true })
    tried += 1
    if (found.length === 0) passed += 1
    violations.push(...found.map((violation) => `${violation} (seed ${seed})`))
    say(said)
  } while (performance.now() < untilMs)
  return { tried, passed, control: { planted: 'answers that wait for no reader', isCaught }, violations }
}

interface Transfers {
  readonly folder: string
  readonly rigFolder: string
  readonly block: Buffer
  readonly sizeMib: number
  /** Of a slow reader. */
  readonly pauseMs: number
  readonly settings: { readonly workers?: number }
  readonly entry?: string
}

async function transferAll({ folder, rigFolder, block, sizeMib, pauseMs, settings, entry }: Transfers): Promise<{
  readonly violations: readonly string[]
  readonly said: string
}> {
  const program = entry === undefined ? {} : { entry }
  const region = await startRegion({ folder, settings, environment: quickStarts(rigFolder), ...program })
  try {
    const client = new Client(region.port)
    await createBucket(client, bucket)
    await client.close()
    const before = memoryOf(region.pid)
    const keys = Array.from({ length: transfers }, (_, n) => `large-${n}`)
    const startMs = performance.now()
    const sent = await Promise.all(keys.map((key) => put({ port: region.port, key, block, sizeMib })))
    const inMs = performance.now() - startMs
    const afterPuts = memoryOf(region.pid)
    const got = await Promise.all(keys.map((key) => getSlowly({ port: region.port, key, block, sizeMib, pauseMs })))
    const outMs = performance.now() - startMs - inMs
    const { peakMib } = memoryOf(region.pid)
    const violations = [...sent, ...got].filter((violation) => violation !== undefined)
    if (peakMib > rssMaxMib) violations.push(`it took ${Math.round(peakMib)} MiB of memory, and may take ${rssMaxMib}`)
    return {
      violations,
      said:
        `${transfers} objects of ${sizeMib} MiB in ${(inMs / 1000).toFixed(1)} s, out in ${(outMs / 1000).toFixed(1)} s: ` +
        `${Math.round(before.rssMib)} MiB at the start, peak ${Math.round(afterPuts.peakMib)} in, ${Math.round(peakMib)} in all`,
    }
  } finally {
    await region.kill()
  }
}

interface Transfer {
  readonly port: number
  readonly key: string
  readonly block: Buffer
  readonly sizeMib: number
}

/** @returns a violation */
async function put({ port, key, block, sizeMib }: Transfer): Promise<string | undefined> {
  const outgoing = open('PUT', { port, key }, { 'content-length': String(sizeMib * mib) })
  const answered = once(outgoing, 'response')
  for (let n = 0; n < sizeMib; n++) {
    if (!outgoing.write(numbered(block, n))) await once(outgoing, 'drain')
  }
  outgoing.end()
  const [answer] = (await answered) as [IncomingMessage] // what node gives it
  answer.resume()
  return answer.statusCode === 200 ? undefined : `PUT ${key} was answered ${answer.statusCode}`
}

/** Each block says its number. */
function numbered(block: Buffer, n: number): Buffer {
  const copy = Buffer.from(block)
  copy.writeUInt32BE(n, 0)
  return copy
}

/** @returns a violation */
async function getSlowly({ port, key, block, sizeMib, pauseMs }: Transfer & Pick<Transfers, 'pauseMs'>): Promise<string | undefined> {
  const outgoing = open('GET', { port, key }, {})
  const answered = once(outgoing, 'response')
  outgoing.end()
  const [answer] = (await answered) as [IncomingMessage] // what node gives it
  let receivedBytes = 0
  let pauseAtBytes = 0
  let expected: Buffer = Buffer.alloc(0)
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; ) {
      const inBlock = receivedBytes % mib
      if (inBlock === 0) expected = numbered(block, receivedBytes / mib)
      const count = Math.min(chunk.length - at, mib - inBlock)
      if (chunk.compare(expected, inBlock, inBlock + count, at, at + count) !== 0)
        return `GET ${key} gave other bytes near ${receivedBytes}`
      at += count
      receivedBytes += count
    }
    if (receivedBytes < pauseAtBytes) continue
    pauseAtBytes += pauseEveryMib * mib
    await sleep(pauseMs)
  }
  return receivedBytes === sizeMib * mib ? undefined : `GET ${key} gave ${receivedBytes} bytes`
}

function open(method: string, { port, key }: Pick<Transfer, 'port' | 'key'>, headers: Readonly<Record<string, string>>): ClientRequest {
  const signed = signRequest({ method, path: encodePath(bucket, key) })
  const all = { ...Object.fromEntries(signed.headers), ...headers }
  return request({ host: '127.0.0.1', port, method, path: signed.target, headers: all, agent: false })
}
