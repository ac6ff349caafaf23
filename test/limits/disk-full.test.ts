/** A disk without room refuses new data by name, serves the rest, and needs no restart when there is room again. Needs root: it mounts a small disk. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type Call, Client, createBucket, elements, expectStatus, listKeys } from './client.ts'
import { randomFrom } from './random.ts'
import { eventually, filesBelow, type Region, startRegion } from './region.ts'

const bucket = 'full'
const mib = 1024 * 1024
const diskMib = 48
const reserveBytes = 4 * mib
const random = randomFrom(1)
const spaceTrouble = /The disk is full/
const large = random.bytes(mib)
const little = random.bytes(64 * 1024)
const small = random.bytes(1000)

const canMount = tryMount()
if (!canMount) process.stdout.write('SKIPPED: test/limits/disk-full.test.ts fills a small tmpfs, and only root may mount one.\n')

let folder = ''
let region: Region
let client: Client

beforeEach(async () => {
  if (!canMount) return
  folder = mkdtempSync(join(tmpdir(), 'farshore-full-'))
  mkdirSync(join(folder, 'data'))
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMib}m`, 'tmpfs', join(folder, 'data')])
  region = await startRegion({ folder, settings: { reserveBytes } })
  client = new Client(region.port, { connections: 8 })
  await createBucket(client, bucket)
})
afterEach(async () => {
  if (!canMount) return
  await client?.close()
  await region?.kill()
  spawnSync('umount', ['--lazy', join(folder, 'data')])
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(!canMount)('a region on a full disk (needs root)', () => {
  it('refuses new data with 503 and a code, leaves nothing half, and reads, deletes and recovers', { timeout: 120_000 }, async () => {
    const kept = await fill()
    expect(kept.length).toBeGreaterThan(10)
    await takeSomeReserve()

    await expectRefused({ method: 'PUT', key: 'large', body: large })
    await expectRefused({ method: 'PUT', key: 'small', body: small })
    await expectRefused({ method: 'PUT', key: 'empty', body: Buffer.alloc(0) })
    await expectRefused({ method: 'PUT', key: 'copy', headers: { 'x-amz-copy-source': `/${bucket}/${kept[0]}` } })
    await expectRefused({ method: 'POST', key: 'parts', query: [['uploads', '']] })
    expect(filesBelow(region.dataFolder).filter((file) => file.includes('/tmp/'))).toEqual([])
    await expectReserveKept(() => send({ method: 'PUT', key: 'little', body: little }))

    await expectReadable(kept)
    expect(await readiness()).toMatch(spaceTrouble)

    const [first = '', second = '', third = '', ...rest] = kept
    expectStatus(await send({ method: 'DELETE', key: first }), 204)
    const body = Buffer.from(`<Delete><Object><Key>${second}</Key></Object><Object><Key>${third}</Key></Object></Delete>`)
    const sum = await crypto.subtle.digest('SHA-256', body)
    const headers = { 'x-amz-checksum-sha256': Buffer.from(sum).toString('base64') }
    expectStatus(await send({ method: 'POST', query: [['delete', '']], headers, body }), 200)
    for (const key of rest.splice(0, 5)) expectStatus(await send({ method: 'DELETE', key }), 204)
    expect([...(await listKeys(client, bucket))].sort()).toEqual([...rest].sort())

    await expectWritable()
    expect(await readiness()).not.toMatch(spaceTrouble)
    await expectReadable(rest)
    // The last seconds of a full disk are no reason to distrust the store.
    await region.kill()
    region = await startRegion({ folder, settings: { reserveBytes } })
    await client.close()
    client = new Client(region.port)
    await expectReadable(rest)
  })

  it('refuses parts of an upload, whose earlier parts stay, and completes it when there is room', { timeout: 120_000 }, async () => {
    const created = expectStatus(await send({ method: 'POST', key: 'parts', query: [['uploads', '']] }), 200)
    const uploadId = elements(created.body.toString(), 'UploadId')[0] ?? ''
    const part = (number: number): Pick<Call, 'query'> => ({
      query: [
        ['partNumber', String(number)],
        ['uploadId', uploadId],
      ],
    })
    const five = Buffer.concat(Array(5).fill(large))
    const one = expectStatus(await send({ method: 'PUT', key: 'parts', ...part(1), body: five }), 200)
    const kept = await fill()
    await takeSomeReserve()
    await expectRefused({ method: 'PUT', key: 'parts', ...part(2), body: large })
    for (const key of kept.slice(0, 8)) expectStatus(await send({ method: 'DELETE', key }), 204)
    await expectWritable()
    const two = expectStatus(await send({ method: 'PUT', key: 'parts', ...part(2), body: large }), 200)
    const list = [one, two].map(({ headers }, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${headers['etag']}</ETag></Part>`)
    const body = Buffer.from(`<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`)
    expectStatus(await send({ method: 'POST', key: 'parts', query: [['uploadId', uploadId]], body }), 200)
    const got = expectStatus(await send({ method: 'GET', key: 'parts' }), 200)
    expect(got.body.equals(Buffer.concat([five, large]))).toBe(true)
  })

  it('lets no upload take the reserve, however large it says it is, or becomes', { timeout: 120_000 }, async () => {
    let leastBytes = Number.POSITIVE_INFINITY
    const watch = setInterval(() => {
      leastBytes = Math.min(leastBytes, freeBytes())
    }, 5)
    const half = Buffer.alloc(0.6 * diskMib * mib)
    // Each fits alone; both do not, and neither knew of the other when it began.
    const answers = await Promise.all(['one', 'two'].map((key) => send({ method: 'PUT', key, body: half })))
    const tooLarge = await send({ method: 'PUT', key: 'three', body: Buffer.alloc(2 * diskMib * mib) })
    clearInterval(watch)
    expect(answers.filter(({ status }) => ![200, 503].includes(status))).toEqual([])
    expect(answers.some(({ status }) => status === 503)).toBe(true)
    expect(tooLarge.status).toBe(503)
    // Two buffers of each may be on their way when the reserve is met.
    expect(leastBytes).toBeGreaterThan(reserveBytes / 2 - mib)
    await expectWritable()
  })

  it('survives others who take the very last byte', { timeout: 120_000 }, async () => {
    const kept = ['a', 'b', 'c']
    for (const key of kept) expectStatus(await send({ method: 'PUT', key, body: large }), 200)
    const filler = join(region.dataFolder, 'not-ours')
    takeAllSpace(filler)
    expect(freeBytes()).toBe(0)

    await eventually('PUT to be refused', async () => (await send({ method: 'PUT', key: 'large', body: large })).status === 503)
    await expectRefused({ method: 'PUT', key: 'small', body: small })
    await expectReadable(kept)
    // Without a byte to write to, a delete may be refused as well, and then it has not happened.
    const deleted = expectStatus(await send({ method: 'DELETE', key: 'c' }), 204, 503)
    const left = deleted.status === 204 ? ['a', 'b'] : kept
    expect(await listKeys(client, bucket)).toEqual(left)

    rmSync(filler)
    await expectWritable()
    await expectReadable(left)
    for (const key of left) expectStatus(await send({ method: 'DELETE', key }), 204)
    expect(await listKeys(client, bucket)).toEqual([])
  })
})

function send(call: Omit<Call, 'bucket'>): Promise<Answer> {
  return client.send({ bucket, ...call })
}

/** Writes until the region says that there is no room, not even for little. @returns the large objects that it took, then the small */
async function fill(): Promise<readonly string[]> {
  return [...(await fillWith('fill', large)), ...(await fillWith('last', little))]
}

async function fillWith(name: string, body: Buffer): Promise<readonly string[]> {
  const kept: string[] = []
  for (let n = 0; n < (diskMib * mib) / body.length; n++) {
    const key = `${name}-${n}`
    const answer = expectStatus(await send({ method: 'PUT', key, body }), 200, 503)
    if (answer.status === 503) return kept
    kept.push(key)
  }
  throw new Error('the disk never became full')
}

/** Others on the same disk take some of the reserve too: what the region frees for itself brings it no room for objects. */
async function takeSomeReserve(): Promise<void> {
  writeFileSync(join(region.dataFolder, 'not-ours'), Buffer.alloc(Math.max(0, freeBytes() - reserveBytes + mib)))
  await eventually('the region to see it', async () => spaceTrouble.test(await readiness()))
}

async function expectRefused(call: Omit<Call, 'bucket'> & { readonly key: string }): Promise<void> {
  const answer = expectStatus(await send(call), 503)
  expect(answer.body.toString()).toMatch(/<Code>ServiceUnavailable<\/Code><Message>[^<]*(room|space|full)/)
  const got = await send({ method: 'HEAD', key: call.key })
  expect(got.status).toBe(404)
}

/** A client that is told to try again does: that must not eat what deletes need. */
async function expectReserveKept(attempt: () => Promise<Answer>): Promise<void> {
  const beforeBytes = freeBytes()
  for (let n = 0; n < 100; n++) expectStatus(await attempt(), 503)
  expect(freeBytes()).toBeGreaterThan(beforeBytes - mib / 4)
}

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(region.dataFolder)
  return bavail * bsize
}

async function expectReadable(keys: readonly string[]): Promise<void> {
  expect([...(await listKeys(client, bucket))].sort()).toEqual([...keys].sort())
  for (const key of keys) {
    expectStatus(await send({ method: 'HEAD', key }), 200)
    expect(expectStatus(await send({ method: 'GET', key }), 200).body.equals(bodyOf(key))).toBe(true)
  }
}

function bodyOf(key: string): Buffer {
  return key.startsWith('last') ? little : large
}

async function expectWritable(): Promise<void> {
  await eventually('PUT to be taken again', async () => {
    const answer = expectStatus(await send({ method: 'PUT', key: 'again', body: small }), 200, 503)
    return answer.status === 200
  })
  expectStatus(await send({ method: 'DELETE', key: 'again' }), 204)
}

async function readiness(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${region.port}/_health/ready`)
  return await answer.text()
}

function takeAllSpace(file: string): void {
  const fd = openSync(file, 'w')
  try {
    for (let step = mib; step >= 1; step = Math.floor(step / 2)) {
      try {
        for (;;) if (writeSync(fd, large, 0, step) < step) break
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    }
  } finally {
    closeSync(fd)
  }
}

function tryMount(): boolean {
  if (process.getuid?.() !== 0) return false
  const place = mkdtempSync(join(tmpdir(), 'farshore-mount-'))
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]).status === 0
  if (isMounted) spawnSync('umount', [place])
  rmSync(place, { recursive: true, force: true })
  return isMounted
}
