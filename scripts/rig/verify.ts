/** Compares what a region holds with what a ledger says it must hold. */
import { type Answer, type Client, elements, expectStatus, listKeys } from '../../test/limits/client.ts'
import { plainBucket } from './actor.ts'
import { allowedAt, type Ledger, type State, settle } from './ledger.ts'

const requestsAtOnce = 8

export interface VerifyOptions {
  readonly client: Client
  readonly ledger: Ledger
  /** All after it never happened. Default: nothing is missing. */
  readonly position?: number
  /** The ledger takes over what it could not know. */
  readonly isSettling?: boolean
}

/** @returns in words, what is not as it was promised */
export async function verify({
  client,
  ledger,
  position = Number.POSITIVE_INFINITY,
  isSettling = false,
}: VerifyOptions): Promise<string[]> {
  const violations: string[] = []
  const present = new Set<string>()
  await inParallel(ledger.cells, async (cell) => {
    const { bucket, key, versionId } = cell
    const name = versionId === undefined ? key : `${key} ${versionId}`
    const query = versionId === undefined ? {} : { query: [['versionId', versionId] as const] }
    // A connection that breaks is an answer too, and a wrong one.
    const answer = await client.send({ method: 'GET', bucket, key, ...query }).catch((error: unknown) => String(error))
    if (typeof answer !== 'string' && answer.status === 200 && bucket === plainBucket) present.add(key)
    const allowed = allowedAt(cell, position)
    const fitting = allowed.find((state) => difference(answer, state, ledger) === undefined)
    if (fitting === undefined) violations.push(`${name}: ${allowed.map((state) => difference(answer, state, ledger)).join(', and ')}`)
    if (isSettling) settle(cell, fitting ?? 'absent')
  })
  const listed = await listViolations(client, present).catch((error: unknown) => [`LIST failed: ${String(error)}`])
  return [...violations, ...listed]
}

/** In words; undefined when the answer is what the state should give. */
export function difference(answer: Answer | string, state: State, ledger: Ledger): string | undefined {
  if (typeof answer === 'string') return `not read: ${answer}`
  if (answer.status === 404) return state === 'absent' ? undefined : `lost: an object of ${state.size} bytes (${state.etag}) is not there`
  if (answer.status !== 200) return `not read: ${answer.status} ${elements(answer.body.toString(), 'Message')[0] ?? ''}`
  if (state === 'absent') return `a deleted object is there (${answer.headers['etag']})`
  if (!answer.body.equals(ledger.bytesOf(state))) return `lost: the bytes are not those of ${state.etag} (${state.size})`
  if (answer.headers['etag'] !== `"${state.etag}"`) return `the ETag is ${answer.headers['etag']}, not ${state.etag}`
  return undefined
}

/** LIST names exactly what GET finds. */
async function listViolations(client: Client, present: ReadonlySet<string>): Promise<readonly string[]> {
  const head = await client.send({ method: 'HEAD', bucket: plainBucket })
  if (head.status === 404 && present.size === 0) return []
  expectStatus(head, 200)
  const listed = new Set(await listKeys(client, plainBucket))
  return [
    ...[...present].filter((key) => !listed.has(key)).map((key) => `${key}: read, and not listed`),
    ...[...listed].filter((key) => !present.has(key)).map((key) => `${key}: listed, and not read`),
  ]
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  await Promise.all(
    Array.from({ length: requestsAtOnce }, async () => {
      for (const item of queue) await work(item)
    }),
  )
}
