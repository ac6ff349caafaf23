/** A server under load, with the objects that the cases read, and the keys that they have written. */
import { hash, randomBytes } from 'node:crypto'
import { Client } from './client.ts'
import { largeBytes, listKeys, mediumBytes, partBytes, payload, smallBytes } from './payload.ts'
import { type Credentials, unsignedPayload } from './sign.ts'

/** Bytes and their digests, made once: hashing them again for each request would measure the load generator. */
interface Payload {
  readonly bytes: Buffer
  readonly sha256: string
  readonly md5: string
}

export type PayloadName = 'small' | 'medium' | 'large'
export type Payloads = Readonly<Record<PayloadName | 'part', Payload>>

export interface Target {
  readonly client: Client
  readonly bucket: string
  readonly versionedBucket: string
  /** The server's process, whose CPU and memory are read; undefined when it is not on this machine. */
  readonly pid: number | undefined
  readonly payloads: Payloads
  /** Objects that are there before the first round, by their size. */
  readonly keys: Readonly<Record<PayloadName, readonly string[]>>
  /** Keys of small objects that were put and not deleted again. */
  readonly written: string[]
  /** A key that was never used; the keys come in no order. */
  newKey(): string
}

export const connectionsMax = 64
const mediumKeys = 8
const largeKeys = 4
const verifiedMax = 64

export function makePayloads(): Payloads {
  const of = (length: number): Payload => {
    const bytes = payload(length)
    return { bytes, sha256: hash('sha256', bytes), md5: hash('md5', bytes) }
  }
  return { small: of(smallBytes), medium: of(mediumBytes), large: of(largeBytes), part: of(partBytes) }
}

export function openTarget(options: {
  readonly endpoint: string
  readonly credentials: Credentials
  readonly pid: number | undefined
  readonly payloads: Payloads
}): Target {
  let issued = 0
  const name = `/bench-${randomBytes(6).toString('hex')}`
  return {
    client: new Client(options.endpoint, options.credentials, connectionsMax),
    bucket: name,
    versionedBucket: `${name}-versioned`,
    pid: options.pid,
    payloads: options.payloads,
    keys: {
      small: Array.from({ length: 2 * listKeys }, (_, i) => `seed/${String(i).padStart(6, '0')}`),
      medium: Array.from({ length: mediumKeys }, (_, i) => `medium/${i}`),
      large: Array.from({ length: largeKeys }, (_, i) => `large/${i}`),
    },
    written: [],
    newKey: () => {
      issued += 1
      // Multiplying by an odd number permutes 32-bit numbers: unique, and scattered over the index.
      return `put/${(Math.imul(issued, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}`
    },
  }
}

/** Makes the buckets, and of the objects those that the cases to come will read. */
export async function seed(target: Target, needs: ReadonlySet<PayloadName>, region: string): Promise<void> {
  const { client, bucket, versionedBucket, payloads, keys } = target
  const constraint = `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`
  const body = region === 'us-east-1' ? {} : { body: Buffer.from(constraint), payloadHash: unsignedPayload }
  await client.send({ method: 'PUT', path: bucket, status: 200, ...body })
  await client.send({ method: 'PUT', path: versionedBucket, status: 200, ...body })
  const versioning = Buffer.from('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>')
  await client.send({
    method: 'PUT',
    path: versionedBucket,
    query: 'versioning=',
    body: versioning,
    payloadHash: hash('sha256', versioning),
    headers: { 'content-md5': hash('md5', versioning, 'base64') },
    status: 200,
  })
  for (const size of needs) {
    await eachOf(keys[size], (key) => client.send({ ...putOf(payloads[size]), path: `${bucket}/${key}` }))
  }
}

/** Reads back a sample of what the cases wrote. @throws Error when one is not what was put */
export async function verifyWritten({ client, bucket, payloads, written }: Target): Promise<number> {
  const step = Math.max(1, Math.floor(written.length / verifiedMax))
  const sample = written.filter((_, i) => i % step === 0).slice(0, verifiedMax)
  await eachOf(sample, (key) => client.send({ method: 'GET', path: `${bucket}/${key}`, status: 200, expected: payloads.small.bytes }))
  return sample.length
}

export async function putWritten({ client, bucket, payloads, written, newKey }: Target, count: number): Promise<void> {
  const keys = Array.from({ length: Math.max(0, count - written.length) }, newKey)
  await eachOf(keys, async (key) => {
    await client.send({ ...putOf(payloads.small), path: `${bucket}/${key}` })
    written.push(key)
  })
}

/** Empties and removes the buckets: what is measured at another server's address must not stay there. */
export async function removeAll({ client, bucket, versionedBucket }: Target): Promise<void> {
  for (const path of [bucket, versionedBucket]) {
    for (let isTruncated = true; isTruncated; ) {
      const page = (await client.send({ method: 'GET', path, query: 'versions=', status: 200, collect: true })).toString()
      isTruncated = page.includes('<IsTruncated>true<')
      const found = [...page.matchAll(/<Key>([^<]+)<\/Key><VersionId>([^<]+)</g)]
      await eachOf(found, ([, key, version]) =>
        client.send({ method: 'DELETE', path: `${path}/${key}`, query: `versionId=${version}`, status: 204 }),
      )
    }
    await client.send({ method: 'DELETE', path, status: 204 })
  }
}

function putOf({ bytes, sha256 }: Payload) {
  return { method: 'PUT', body: bytes, payloadHash: sha256, status: 200 } as const
}

/** Untimed work, several at once. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items.values()
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}
