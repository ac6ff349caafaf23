/** Whatever chance sends, properly signed: it is answered in time and never with a failure of the server. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client, createBucket, elements, expectStatus } from './client.ts'
import { buckets, chooseRequest } from './fuzz-requests.ts'
import { chooseSeed, randomFrom } from './random.ts'
import { type Region, startRegion } from './region.ts'
import { ask, type WireAnswer, type WireRequest } from './wire.ts'

const seed = chooseSeed()
const fuzzMs = 8000
const requestsAtOnce = 8
const idsKept = 40
const requestsMin = 300

let folder = ''
let region: Region
let client: Client

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farshore-fuzz-'))
  region = await startRegion({ folder })
  client = new Client(region.port)
  for (const bucket of buckets) await createBucket(client, bucket, { isVersioned: bucket === 'versioned' })
})
afterAll(async () => {
  await client?.close()
  await region?.kill()
  rmSync(folder, { recursive: true, force: true })
})

describe('signed requests by chance', () => {
  it('are answered within 5 s, and never with a failure of the server', { timeout: 60_000 }, async () => {
    process.stdout.write(`fuzz: seed ${seed}: FARSHORE_TEST_SEED=${seed} repeats it\n`)
    const random = randomFrom(seed)
    const known = { uploadIds: [] as string[], versionIds: [] as string[] }
    const failures: string[] = []
    const statuses = new Map<number, number>()
    const endMs = performance.now() + fuzzMs

    const sendUntilTheEnd = async (): Promise<void> => {
      while (performance.now() < endMs && failures.length === 0) {
        const request = chooseRequest(random, known)
        const answer = await ask(region.port, request).catch((error: unknown) => String(error))
        const failure = typeof answer === 'string' ? answer : failureOf(answer)
        if (failure !== undefined) failures.push(`${failure} for ${describeRequest(request)}`)
        if (typeof answer === 'string') continue
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        learn(known, answer)
      }
    }
    await Promise.all(Array.from({ length: requestsAtOnce }, sendUntilTheEnd))

    process.stdout.write(
      `fuzz: ${[...statuses]
        .sort(([a], [b]) => a - b)
        .map(([status, count]) => `${count} × ${status}`)
        .join(', ')}\n`,
    )
    expect(failures).toEqual([])
    expect(region.isAlive(), region.log()).toBe(true)
    expect(region.log()).not.toContain('request failed')
    // Requests that were all refused at the door would prove little.
    expect(statuses.get(200) ?? 0).toBeGreaterThan(requestsMin)
    expectStatus(await client.send({ method: 'GET', bucket: buckets[0] }), 200)
  })
})

function failureOf({ status, body }: WireAnswer): string | undefined {
  const isRefusedByName = status === 501 && (body.length === 0 || body.includes('<Code>NotImplemented</Code>'))
  const isFailure = status === 0 || (status >= 500 && !isRefusedByName) || body.includes('<Code>InternalError</Code>')
  return isFailure ? `${status} ${body.toString().slice(0, 500)}` : undefined
}

function learn(known: { uploadIds: string[]; versionIds: string[] }, { headers, body }: WireAnswer): void {
  known.uploadIds.push(...(body.length < 10_000 ? elements(body.toString(), 'UploadId') : []))
  if (headers['x-amz-version-id'] !== undefined) known.versionIds.push(headers['x-amz-version-id'])
  known.uploadIds.splice(0, known.uploadIds.length - idsKept)
  known.versionIds.splice(0, known.versionIds.length - idsKept)
}

function describeRequest(request: WireRequest): string {
  return JSON.stringify({ ...request, body: request.body?.subarray(0, 500).toString('latin1') })
}
