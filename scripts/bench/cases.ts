/** What is measured: one operation each, many times over. */
import { hash } from 'node:crypto'
import type { CeilingName } from './ceilings.ts'
import { largeBytes, listKeys, mediumBytes, partBytes, partCount, smallBytes } from './payload.ts'
import { unsignedPayload } from './sign.ts'
import { type PayloadName, putWritten, type Target } from './target.ts'

export interface Case {
  readonly name: string
  readonly concurrency: number
  /** Of content, for those whose rate is told in MiB/s. */
  readonly bytesPerOperation: number | undefined
  /** Objects that are there before the first round. */
  readonly needs: PayloadName | undefined
  /** What of the machine the operation cannot be faster than. */
  readonly ceiling: CeilingName | undefined
  /** Untimed, before each round. */
  readonly prepare?: (target: Target, roundMs: number) => Promise<void>
  /** @param worker  0 … concurrency - 1. @returns false when there is nothing left to do */
  run(target: Target, worker: number): Promise<boolean>
}

const deletesPerSecondPrepared = 4000
/** S3: DeleteObjects. */
const deleteObjectsMax = 1000
/** Keys that are written again and again in the versioned bucket, so that some have many versions. */
const versionedKeys = 500

type Work = Case['run']

const putSmall: Work = async ({ client, bucket, payloads, written, newKey }) => {
  const key = newKey()
  const { bytes, sha256 } = payloads.small
  await client.send({ method: 'PUT', path: `${bucket}/${key}`, body: bytes, payloadHash: sha256, status: 200 })
  written.push(key)
  return true
}

const putVersioned: Work = async ({ client, versionedBucket, payloads }) => {
  const { bytes, sha256 } = payloads.small
  const path = `${versionedBucket}/key/${Math.floor(Math.random() * versionedKeys)}`
  await client.send({ method: 'PUT', path, body: bytes, payloadHash: sha256, status: 200 })
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

const copySmall: Work = async (target) => {
  const { client, bucket, written, newKey } = target
  const key = newKey()
  const headers = { 'x-amz-copy-source': randomSeeded(target) }
  await client.send({ method: 'PUT', path: `${bucket}/${key}`, headers, status: 200 })
  written.push(key)
  return true
}

const deleteSmall: Work = async ({ client, bucket, written }) => {
  const key = written.pop()
  if (key === undefined) return false
  await client.send({ method: 'DELETE', path: `${bucket}/${key}`, status: 204 })
  return true
}

const deleteMany: Work = async ({ client, bucket, written }) => {
  if (written.length < deleteObjectsMax) return false
  const objects = written.splice(-deleteObjectsMax).map((key) => `<Object><Key>${key}</Key></Object>`)
  const body = Buffer.from(`<Delete><Quiet>true</Quiet>${objects.join('')}</Delete>`)
  const headers = { 'content-md5': hash('md5', body, 'base64') }
  await client.send({ method: 'POST', path: bucket, query: 'delete=', headers, body, payloadHash: hash('sha256', body), status: 200 })
  return true
}

const listing =
  (query: string, element: string): Work =>
  async ({ client, bucket }) => {
    const body = await client.send({ method: 'GET', path: bucket, query, status: 200, collect: true })
    const found = countOf(body, element)
    if (found !== listKeys) throw new Error(`GET ${bucket}?${query}: ${found} keys, not ${listKeys}`)
    return true
  }

const get =
  (size: 'medium' | 'large'): Work =>
  async ({ client, bucket, payloads, keys }, worker) => {
    await client.send({ method: 'GET', path: `${bucket}/${keyOf(keys[size], worker)}`, status: 200, expected: payloads[size].bytes })
    return true
  }

/** Overwrites a few keys, so that a long run does not fill the disk. */
const put =
  (size: 'medium' | 'large', isSigned: boolean): Work =>
  async ({ client, bucket, payloads, keys }, worker) => {
    const { bytes, sha256 } = payloads[size]
    const path = `${bucket}/${keyOf(keys[size], worker)}-put`
    await client.send({ method: 'PUT', path, body: bytes, payloadHash: isSigned ? sha256 : unsignedPayload, status: 200 })
    return true
  }

const multipart: Work = async ({ client, bucket, payloads, keys }, worker) => {
  const path = `${bucket}/${keyOf(keys.large, worker)}-parts`
  const begun = await client.send({ method: 'POST', path, query: 'uploads=', status: 200, collect: true })
  const uploadId = /<UploadId>([^<]+)</.exec(begun.toString())?.[1] ?? ''
  const { bytes, sha256, md5 } = payloads.part
  for (let number = 1; number <= partCount; number++) {
    const query = `partNumber=${number}&uploadId=${uploadId}`
    await client.send({ method: 'PUT', path, query, body: bytes, payloadHash: sha256, status: 200 })
  }
  const parts = Array.from({ length: partCount }, (_, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>"${md5}"</ETag></Part>`)
  const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
  await client.send({ method: 'POST', path, query: `uploadId=${uploadId}`, body, payloadHash: hash('sha256', body), status: 200 })
  return true
}

export const cases: readonly Case[] = [
  ...at([1, 16, 64], { name: 'PUT 4 KiB', run: putSmall, ceiling: 'fdatasyncPerSecond' }),
  ...at([16], { name: 'PUT 4 KiB versioned', run: putVersioned, ceiling: 'fdatasyncPerSecond' }),
  ...at([1, 16, 64], { name: 'GET 4 KiB', run: getSmall, needs: 'small' }),
  ...at([16], { name: 'HEAD', run: headSmall, needs: 'small' }),
  ...at([16], { name: 'COPY 4 KiB', run: copySmall, needs: 'small', ceiling: 'fdatasyncPerSecond' }),
  ...at([1, 4], { name: 'LIST 1000', run: listing(`list-type=2&max-keys=${listKeys}&prefix=seed%2F`, '<Key>'), needs: 'small' }),
  ...at([4], {
    name: 'LIST versions 1000',
    run: listing(`max-keys=${listKeys}&prefix=seed%2F&versions=`, '<Version>'),
    needs: 'small',
  }),
  ...at([16], {
    name: 'DELETE',
    run: deleteSmall,
    ceiling: 'fdatasyncPerSecond',
    prepare: (target, roundMs) => putWritten(target, (deletesPerSecondPrepared * roundMs) / 1000),
  }),
  ...at([1], { name: 'DeleteObjects 1000', run: deleteMany, prepare: (target) => putWritten(target, 5 * deleteObjectsMax) }),
  ...at([8], { name: 'PUT 1 MiB', run: put('medium', true), bytesPerOperation: mediumBytes, ceiling: 'writtenMibPerSecond' }),
  ...at([8], { name: 'GET 1 MiB', run: get('medium'), needs: 'medium', bytesPerOperation: mediumBytes, ceiling: 'loopbackMibPerSecond' }),
  ...at([1, 4], { name: 'GET 64 MiB', run: get('large'), needs: 'large', bytesPerOperation: largeBytes, ceiling: 'loopbackMibPerSecond' }),
  ...at([1], { name: 'PUT 64 MiB unsigned', run: put('large', false), bytesPerOperation: largeBytes, ceiling: 'md5MibPerSecond' }),
  ...at([1, 4], { name: 'PUT 64 MiB', run: put('large', true), bytesPerOperation: largeBytes, ceiling: 'writtenMibPerSecond' }),
  ...at([2], { name: 'multipart 256 MiB', run: multipart, bytesPerOperation: partCount * partBytes, ceiling: 'writtenMibPerSecond' }),
]

type Described = Pick<Case, 'name' | 'run'> & Partial<Case>

function at(concurrencies: readonly number[], one: Described): Case[] {
  return concurrencies.map((concurrency) => ({
    needs: undefined,
    ceiling: undefined,
    bytesPerOperation: undefined,
    ...one,
    name: `${one.name} x${concurrency}`,
    concurrency,
  }))
}

function randomSeeded({ bucket, keys }: Target): string {
  return `${bucket}/${keyOf(keys.small, Math.floor(Math.random() * keys.small.length))}`
}

function keyOf(keys: readonly string[], number: number): string {
  return keys[number % keys.length] ?? ''
}

function countOf(body: Buffer, text: string): number {
  let count = 0
  for (let at = body.indexOf(text); at !== -1; at = body.indexOf(text, at + text.length)) count += 1
  return count
}
