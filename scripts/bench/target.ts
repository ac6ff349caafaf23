/** A server under load, with the objects that the cases read, and the keys that they have written. */
import { hash, randomBytes } from 'node:crypto'
import { Client } from './client.ts'
import { largeBytes, payload, smallBytes } from './payload.ts'
import { type Credentials, unsignedPayload } from './sign.ts'

/** Bytes and their SHA-256, made once: hashing them again for each request would measure the load generator. */
export interface Payloads {
  readonly small: { readonly bytes: Buffer; readonly sha256: string }
  readonly large: { readonly bytes: Buffer; readonly sha256: string }
}

export interface Target {
  readonly client: Client
  readonly bucket: string
  /** The server's process, whose CPU and memory are read; undefined when it is not on this machine. */
  readonly pid: number | undefined
  readonly payloads: Payloads
  readonly seeded: readonly string[]
  /** Keys of small objects that were put and not deleted again. */
  readonly written: string[]
  /** A key that was never used; the keys come in no order. */
  newKey(): string
}

/** Objects that are there before the first round. */
export type SeedKind = 'small' | 'large'

export const connectionsMax = 64
export const largeKeys: readonly string[] = ['large/0', 'large/1', 'large/2', 'large/3']
const verifiedMax = 64

export function makePayloads(): Payloads {
  const of = (length: number) => {
    const bytes = payload(length)
    return { bytes, sha256: hash('sha256', bytes) }
  }
  return { small: of(smallBytes), large: of(largeBytes) }
}

export function openTarget(options: {
  readonly endpoint: string
  readonly credentials: Credentials
  readonly pid: number | undefined
  readonly payloads: Payloads
  readonly seedObjects: number
}): Target {
  let issued = 0
  return {
    client: new Client(options.endpoint, options.credentials, connectionsMax),
    bucket: `/bench-${randomBytes(6).toString('hex')}`,
    pid: options.pid,
    payloads: options.payloads,
    seeded: Array.from({ length: options.seedObjects }, (_, i) => `seed/${String(i).padStart(6, '0')}`),
    written: [],
    newKey: () => {
      issued += 1
      // Multiplying by an odd number permutes 32-bit numbers: unique, and scattered over the index.
      return `put/${(Math.imul(issued, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}`
    },
  }
}

/** Makes the bucket, and of the objects those that the cases to come will read. */
export async function seed(target: Target, needs: ReadonlySet<SeedKind>, region: string): Promise<void> {
  const { client, bucket, payloads, seeded } = target
  const constraint = `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`
  const body = region === 'us-east-1' ? {} : { body: Buffer.from(constraint), payloadHash: unsignedPayload }
  await client.send({ method: 'PUT', path: bucket, status: 200, ...body })
  await eachOf(needs.has('small') ? seeded : [], async (key) => {
    await client.send({ ...putOf(payloads.small), path: `${bucket}/${key}` })
  })
  for (const key of needs.has('large') ? largeKeys : []) await client.send({ ...putOf(payloads.large), path: `${bucket}/${key}` })
}

/** Reads back a sample of what the cases wrote. @throws Error when one is not what was put */
export async function verifyWritten({ client, bucket, payloads, written }: Target): Promise<number> {
  const step = Math.max(1, Math.floor(written.length / verifiedMax))
  const sample = written.filter((_, i) => i % step === 0).slice(0, verifiedMax)
  await eachOf(sample, async (key) => {
    await client.send({ method: 'GET', path: `${bucket}/${key}`, status: 200, expected: payloads.small.bytes })
  })
  return sample.length
}

export async function putWritten({ client, bucket, payloads, written, newKey }: Target, count: number): Promise<void> {
  const keys = Array.from({ length: Math.max(0, count - written.length) }, newKey)
  await eachOf(keys, async (key) => {
    await client.send({ ...putOf(payloads.small), path: `${bucket}/${key}` })
    written.push(key)
  })
}

export async function removeAll({ client, bucket, seeded, written }: Target): Promise<void> {
  const keys = [...seeded, ...written, ...largeKeys, ...largeKeys.map((key) => `${key}-put`)]
  await eachOf(keys, async (key) => {
    await client.send({ method: 'DELETE', path: `${bucket}/${key}`, status: 204 })
  })
  await client.send({ method: 'DELETE', path: bucket, status: 204 })
}

function putOf({ bytes, sha256 }: Payloads['small']) {
  return { method: 'PUT', body: bytes, payloadHash: sha256, status: 200 } as const
}

/** Untimed work, several at once. */
async function eachOf(keys: readonly string[], work: (key: string) => Promise<void>): Promise<void> {
  const waiting = keys.values()
  const worker = async (): Promise<void> => {
    for (const key of waiting) await work(key)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}
