/** Clients that go away in the middle of a request leave nothing behind: no half object, no file, no descriptor, no memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client, createBucket, elements, expectStatus, listKeys } from './client.ts'
import { chooseSeed, type Random, randomFrom } from './random.ts'
import { descriptorsOf, eventually, filesBelow, memoryOf, type Region, startRegion } from './region.ts'
import { chunkedBody, encodePath, type Pairs, signRequest } from './signer.ts'
import { headBytes, Wire } from './wire.ts'

const bucket = 'hang-up'
const seed = chooseSeed()
const random = randomFrom(seed)
const rounds = 200
const warmUpRounds = 60
/** What the heap may do between two collections; a leak of one body a round would be several times as much. */
const growthMaxMib = 64

let folder = ''
let region: Region
let client: Client
let uploadId = ''

beforeAll(async () => {
  process.stdout.write(`hang-up: seed ${seed}\n`)
  folder = mkdtempSync(join(tmpdir(), 'farshore-hang-up-'))
  region = await startRegion({ folder })
  client = new Client(region.port, { connections: 4 })
  await createBucket(client, bucket)
  const created = await client.send({ method: 'POST', bucket, key: 'parts', query: [['uploads', '']] })
  uploadId = elements(expectStatus(created, 200).body.toString(), 'UploadId')[0] ?? ''
})
afterAll(async () => {
  await client?.close()
  await region?.kill()
  rmSync(folder, { recursive: true, force: true })
})

interface Upload {
  readonly head: Buffer
  readonly body: Buffer
}

type UploadKind = 'small' | 'large' | 'part' | 'chunked, signed' | 'chunked, with trailer'
const kinds: readonly UploadKind[] = ['small', 'large', 'part', 'chunked, signed', 'chunked, with trailer']

/** The head of an upload, and all of its body. */
function uploadOf(kind: UploadKind, { key = 'never', expectsContinue = false, sizeBytes = sizeOf(kind) } = {}): Upload {
  const content = random.bytes(sizeBytes)
  const isPart = kind === 'part'
  const query: Pairs = isPart
    ? [
        ['partNumber', '1'],
        ['uploadId', uploadId],
      ]
    : []
  const isChunked = kind.startsWith('chunked')
  const isSigned = kind === 'chunked, signed'
  const signed = signRequest({
    method: 'PUT',
    path: encodePath(bucket, isPart ? 'parts' : key),
    query,
    payload: isChunked ? (isSigned ? 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' : 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') : 'UNSIGNED-PAYLOAD',
    headers: [
      ...(isChunked ? [['x-amz-decoded-content-length', String(content.length)] as const] : []),
      ...(kind === 'chunked, with trailer' ? [['x-amz-trailer', 'x-amz-checksum-crc32'] as const] : []),
    ],
  })
  const chunks = [content.subarray(0, content.length / 2), content.subarray(content.length / 2)]
  const trailers: Pairs = [['x-amz-checksum-crc32', 'AAAAAA==']]
  const body = isChunked ? chunkedBody(chunks, { seed: signed.seed, isSigned, ...(isSigned ? {} : { trailers }) }) : content
  const expectation: Pairs = expectsContinue ? [['expect', '100-continue']] : []
  return { head: headBytes('PUT', signed, [['content-length', String(body.length)], ...expectation]), body }
}

function sizeOf(kind: UploadKind): number {
  return kind === 'small' ? 8192 : 300_000
}

type Phase = 'in the head' | 'after the head' | 'after a byte' | 'in the middle' | 'near the end' | 'before the last byte'
const phases: readonly Phase[] = ['in the head', 'after the head', 'after a byte', 'in the middle', 'near the end', 'before the last byte']

function sentBytes(phase: Phase, { head, body }: Upload): { readonly head: Buffer; readonly body: Buffer } {
  switch (phase) {
    case 'in the head':
      return { head: head.subarray(0, head.length - 20), body: body.subarray(0, 0) }
    case 'after the head':
      return { head, body: body.subarray(0, 0) }
    case 'after a byte':
      return { head, body: body.subarray(0, 1) }
    case 'in the middle':
      return { head, body: body.subarray(0, body.length / 2) }
    // Of a chunked body: in the last chunk's line, or in the trailers.
    case 'near the end':
      return { head, body: body.subarray(0, body.length - 30) }
    case 'before the last byte':
      return { head, body: body.subarray(0, body.length - 1) }
    default:
      return phase satisfies never
  }
}

/** @param waits whether the server is known to read the body before its client goes */
async function hangUp(kind: UploadKind, phase: Phase, waits: boolean): Promise<void> {
  const isInHead = phase === 'in the head'
  const upload = sentBytes(phase, uploadOf(kind, { expectsContinue: waits && !isInHead }))
  const wire = new Wire(region.port)
  await wire.send(upload.head)
  if (waits && !isInHead) await wire.received('100 Continue')
  if (upload.body.length > 0) await wire.send(upload.body)
  await leave(wire, random)
}

/** One says that it ends, and is answered or not; the other is simply gone. */
async function leave(wire: Wire, chance: Random): Promise<void> {
  if (chance.oneIn(2)) return wire.vanish()
  wire.end()
  await wire.answer(10_000)
}

async function expectNothingLeft(descriptors: number): Promise<void> {
  await eventually('temporary files to be gone', () => filesBelow(region.dataFolder).every((file) => !file.includes('/tmp/')))
  expect(filesBelow(join(region.dataFolder, 'blobs', 'files'))).toEqual([])
  expect(await listKeys(client, bucket)).toEqual([])
  const parts = await client.send({ method: 'GET', bucket, key: 'parts', query: [['uploadId', uploadId]] })
  expect(elements(expectStatus(parts, 200).body.toString(), 'PartNumber')).toEqual([])
  await eventually('descriptors to be closed', () => descriptorsOf(region.pid) <= descriptors)
}

describe('a client that goes away', () => {
  it.each(kinds.flatMap((kind) => phases.map((phase) => [kind, phase] as const)))(
    'leaves nothing of a PUT (%s, %s)',
    async (kind, phase) => {
      const descriptors = descriptorsOf(region.pid)
      await hangUp(kind, phase, true)
      await hangUp(kind, phase, false)
      await expectNothingLeft(descriptors)
    },
  )

  it('leaves a whole object or none when it goes before the answer', async () => {
    const body = random.bytes(200_000)
    for (let n = 0; n < 20; n++) {
      const signed = signRequest({ method: 'PUT', path: encodePath(bucket, `whole-${n}`) })
      const wire = new Wire(region.port)
      await wire.send(Buffer.concat([headBytes('PUT', signed, [['content-length', String(body.length)]]), body]))
      wire.vanish()
    }
    for (let n = 0; n < 20; n++) {
      const got = expectStatus(await client.send({ method: 'GET', bucket, key: `whole-${n}` }), 200, 404)
      if (got.status === 200) expect(got.body.equals(body)).toBe(true)
      expectStatus(await client.send({ method: 'DELETE', bucket, key: `whole-${n}` }), 204)
    }
    // One may still have been on its way.
    await eventually('the bucket to be emptied', async () => {
      const keys = await listKeys(client, bucket)
      for (const key of keys) await client.send({ method: 'DELETE', bucket, key })
      return keys.length === 0
    })
    await eventually('freed files to be unlinked', () => filesBelow(join(region.dataFolder, 'blobs', 'files')).length === 0)
  })

  it('costs no descriptor and no memory, however often it goes', { timeout: 120_000 }, async () => {
    const content = random.bytes(8 * 1024 * 1024)
    expectStatus(await client.send({ method: 'PUT', bucket, key: 'read', body: content }), 200)
    let warm = { descriptors: 0, rssMib: 0 }
    for (let round = 0; round < rounds; round++) {
      const uploads = kinds.map((kind) => hangUp(kind, random.pick(phases), random.oneIn(2)))
      await Promise.all([...uploads, abandonRead('read')])
      if (round === warmUpRounds) warm = { descriptors: descriptorsOf(region.pid), rssMib: memoryOf(region.pid).rssMib }
    }
    await eventually('descriptors to be closed', () => descriptorsOf(region.pid) <= warm.descriptors)
    const { rssMib } = memoryOf(region.pid)
    process.stdout.write(`hang-up: ${Math.round(warm.rssMib)} MiB after ${warmUpRounds} rounds, ${Math.round(rssMib)} after ${rounds}\n`)
    expect(rssMib - warm.rssMib).toBeLessThan(growthMaxMib)
    expectStatus(await client.send({ method: 'DELETE', bucket, key: 'read' }), 204)
    await eventually('the read object to be unlinked', () => filesBelow(join(region.dataFolder, 'blobs', 'files')).length === 0)
    expect(region.isAlive()).toBe(true)
    expect(region.log()).toBe('')
  })
})

/** Takes the beginning of a large object and goes. */
async function abandonRead(key: string): Promise<void> {
  const signed = signRequest({ method: 'GET', path: encodePath(bucket, key) })
  const wire = new Wire(region.port)
  await wire.send(headBytes('GET', signed, []))
  await wire.received('200 OK')
  wire.pause()
  wire.vanish()
}
