/** What is measured: one operation each, many times over. */
import { largeBytes, listKeys, smallBytes } from './payload.ts'
import { unsignedPayload } from './sign.ts'
import { largeKeys, putWritten, type SeedKind, type Target } from './target.ts'

export interface Case {
  readonly name: string
  readonly concurrency: number
  /** Of content, for those whose rate is told in MiB/s. */
  readonly bytesPerOperation: number | undefined
  readonly needs: SeedKind | undefined
  /** Untimed, before each round. */
  readonly prepare?: (target: Target, roundMs: number) => Promise<void>
  /** @param worker  0 … concurrency - 1. @returns false when there is nothing left to do */
  run(target: Target, worker: number): Promise<boolean>
}

const deletesPerSecondPrepared = 2000

type Work = Case['run']

const putSmall: Work = async ({ client, bucket, payloads, written, newKey }) => {
  const key = newKey()
  const { bytes, sha256 } = payloads.small
  await client.send({ method: 'PUT', path: `${bucket}/${key}`, body: bytes, payloadHash: sha256, status: 200 })
  written.push(key)
  return true
}

const getSmall: Work = async (target) => {
  await target.client.send({ method: 'GET', path: randomSeeded(target), status: 200, expected: target.payloads.small.bytes })
  return true
}

const headSmall: Work = async (target) => {
  await target.client.send({ method: 'HEAD', path: randomSeeded(target), status: 200, length: smallBytes })
  return true
}

const deleteSmall: Work = async ({ client, bucket, written }) => {
  const key = written.pop()
  if (key === undefined) return false
  await client.send({ method: 'DELETE', path: `${bucket}/${key}`, status: 204 })
  return true
}

const list: Work = async ({ client, bucket }) => {
  const query = `list-type=2&max-keys=${listKeys}&prefix=seed%2F`
  const body = await client.send({ method: 'GET', path: bucket, query, status: 200, collect: true })
  const found = countOf(body, '<Key>')
  if (found !== listKeys) throw new Error(`GET ${bucket}?${query}: ${found} keys, not ${listKeys}`)
  return true
}

const getLarge: Work = async ({ client, bucket, payloads }, worker) => {
  await client.send({ method: 'GET', path: `${bucket}/${largeKey(worker)}`, status: 200, expected: payloads.large.bytes })
  return true
}

/** Overwrites a few keys, so that a long run does not fill the disk. */
const putLarge =
  (isSigned: boolean): Work =>
  async ({ client, bucket, payloads }, worker) => {
    const { bytes, sha256 } = payloads.large
    const path = `${bucket}/${largeKey(worker)}-put`
    await client.send({ method: 'PUT', path, body: bytes, payloadHash: isSigned ? sha256 : unsignedPayload, status: 200 })
    return true
  }

export const cases: readonly Case[] = [
  ...at([1, 16, 64], { name: 'PUT 4 KiB', run: putSmall }),
  ...at([1, 16, 64], { name: 'GET 4 KiB', run: getSmall, needs: 'small' }),
  ...at([16], { name: 'HEAD', run: headSmall, needs: 'small' }),
  ...at([1, 16], { name: 'LIST 1000', run: list, needs: 'small' }),
  ...at([16], {
    name: 'DELETE',
    run: deleteSmall,
    prepare: (target, roundMs) => putWritten(target, (deletesPerSecondPrepared * roundMs) / 1000),
  }),
  ...at([1, 4], { name: 'GET 64 MiB', run: getLarge, needs: 'large', bytesPerOperation: largeBytes }),
  ...at([1, 4], { name: 'PUT 64 MiB unsigned', run: putLarge(false), bytesPerOperation: largeBytes }),
  ...at([1, 4], { name: 'PUT 64 MiB signed', run: putLarge(true), bytesPerOperation: largeBytes }),
]

type Described = Pick<Case, 'name' | 'run'> & Partial<Case>

function at(concurrencies: readonly number[], one: Described): Case[] {
  return concurrencies.map((concurrency) => ({
    needs: undefined,
    bytesPerOperation: undefined,
    ...one,
    name: `${one.name} x${concurrency}`,
    concurrency,
  }))
}

function randomSeeded({ bucket, seeded }: Target): string {
  return `${bucket}/${seeded[Math.floor(Math.random() * seeded.length)]}`
}

function largeKey(worker: number): string {
  return largeKeys[worker % largeKeys.length] ?? ''
}

function countOf(body: Buffer, text: string): number {
  let count = 0
  for (let at = body.indexOf(text); at !== -1; at = body.indexOf(text, at + text.length)) count += 1
  return count
}
