/** What is asked of a bucket of any size. */
import { hash } from 'node:crypto'
import { Client } from '../bench/client.ts'
import { payload, smallBytes } from '../bench/payload.ts'
import { cpuMs } from '../bench/process-tree.ts'
import type { RunningServer } from '../bench/servers.ts'
import { fewKey, manyKey } from './fill.ts'

export interface Grown {
  readonly server: RunningServer
  readonly client: Client
  /** Versions in the wide bucket. */
  readonly versions: number
}

export const wideBucket = '/growth-wide'
export const deepBucket = '/growth-deep'
export const hotKey = 'hot'
export const warmKey = 'warm'

export interface Probe {
  readonly name: string
  /** In one round. */
  readonly times: number
  run(grown: Grown): Promise<unknown>
}

const bytes = payload(smallBytes)
const put = { method: 'PUT', body: bytes, payloadHash: hash('sha256', bytes), status: 200 } as const

export const wideProbes: readonly Probe[] = [
  { name: 'GET by key', times: 400, run: (grown) => get(grown, `${wideBucket}/${anyKey(grown)}`) },
  {
    name: 'PUT',
    times: 400,
    run: ({ client }) => client.send({ ...put, path: `${wideBucket}/new/${Math.random().toString(36).slice(2)}` }),
  },
  { name: 'LIST 1,000', times: 40, run: (grown) => list(grown, `list-type=2&start-after=${encodeURIComponent(anyKey(grown))}`) },
  { name: 'LIST, delimiter, 10 prefixes', times: 200, run: (grown) => list(grown, 'delimiter=%2F&list-type=2&prefix=few%2F') },
  { name: 'LIST, delimiter, 1 in 10 keys a prefix', times: 20, run: (grown) => list(grown, 'delimiter=%2F&list-type=2&prefix=many%2F') },
  { name: 'LIST versions', times: 40, run: (grown) => list(grown, `key-marker=${encodeURIComponent(anyKey(grown))}&versions=`) },
]

export const deepProbes = (key: string): readonly Probe[] => [
  { name: 'GET', times: 400, run: (grown) => get(grown, `${deepBucket}/${key}`) },
  { name: 'PUT', times: 400, run: ({ client }) => client.send({ ...put, path: `${deepBucket}/${key}` }) },
  { name: 'DELETE', times: 400, run: ({ client }) => client.send({ method: 'DELETE', path: `${deepBucket}/${key}`, status: 204 }) },
  {
    name: 'LIST of all keys',
    times: 200,
    run: ({ client }) => client.send({ method: 'GET', path: deepBucket, query: 'list-type=2', status: 200 }),
  },
]

/** @returns microseconds of server CPU a run */
export async function cost(probe: Probe, grown: Grown): Promise<number> {
  const before = cpuMs(grown.server.pid) ?? 0
  for (let time = 0; time < probe.times; time++) await probe.run(grown)
  return (1000 * ((cpuMs(grown.server.pid) ?? 0) - before)) / probe.times
}

export function openClient(server: RunningServer): Client {
  return new Client(server.endpoint, server.credentials, 1)
}

/** The buckets, versioned, each with the object that the filled rows share. */
export async function makeBuckets(client: Client, template: string): Promise<void> {
  const versioning = Buffer.from('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>')
  const body = { body: versioning, payloadHash: hash('sha256', versioning), headers: { 'content-md5': hash('md5', versioning, 'base64') } }
  for (const path of [wideBucket, deepBucket]) {
    await client.send({ method: 'PUT', path, status: 200 })
    await client.send({ method: 'PUT', path, query: 'versioning=', status: 200, ...body })
    await client.send({ ...put, path: `${path}/${template}` })
  }
}

/** New small objects, several at once. */
export async function putObjects(client: Client, count: number): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) await client.send({ ...put, path: `${wideBucket}/object/${number}` })
  }
  await Promise.all(Array.from({ length: 32 }, worker))
}

function get({ client }: Grown, path: string): Promise<Buffer> {
  return client.send({ method: 'GET', path, status: 200, expected: bytes })
}

function list({ client }: Grown, query: string): Promise<Buffer> {
  return client.send({ method: 'GET', path: wideBucket, query, status: 200 })
}

function anyKey({ versions }: Grown): string {
  const number = Math.floor((Math.random() * versions) / 2)
  return Math.random() < 0.5 ? fewKey(number) : manyKey(number)
}
