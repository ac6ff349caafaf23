/** What clients are told of objects while something below is damaged. */
import { type Answer, type Client, listKeys } from '../../../test/limits/client.ts'
import type { Random } from '../../../test/limits/random.ts'
import { plainBucket } from '../actor.ts'
import type { Cell, Content, Ledger } from '../ledger.ts'

/**
 * right · refused: an error, or a connection that breaks before the last byte · wrong: a whole answer with other bytes · denied: told that there is no
 * such object · misdescribed: the right bytes under another ETag
 */
export type Reading = 'right' | 'refused' | 'wrong' | 'denied' | 'misdescribed'

export interface Read {
  readonly key: string
  readonly reading: Reading
}

const requestsAtOnce = 8

export interface Reader {
  readonly client: Client
  readonly ledger: Ledger
  readonly random: Random
}

/** Every object whole, and a part of every third. */
export async function readAll({ client, ledger, random }: Reader): Promise<readonly Read[]> {
  const reads: Read[] = []
  const queue = ledger.cells.values()
  await Promise.all(
    Array.from({ length: requestsAtOnce }, async () => {
      for (const cell of queue) {
        const content = contentOf(cell)
        if (content === undefined) continue
        reads.push({ key: cell.key, reading: await readOne(client, { cell, content, ledger }) })
        if (content.size > 0 && random.oneIn(3))
          reads.push({ key: cell.key, reading: await readPart(client, { cell, content, ledger, random }) })
      }
    }),
  )
  return reads
}

/** Whether LIST names all that was written, and nothing else. */
export async function listing(client: Client, ledger: Ledger): Promise<Reading> {
  const wanted = ledger.cells.filter((cell) => contentOf(cell) !== undefined).map(({ key }) => key)
  try {
    const listed = new Set(await listKeys(client, plainBucket))
    if (wanted.some((key) => !listed.has(key))) return 'denied'
    return listed.size === wanted.length ? 'right' : 'misdescribed'
  } catch {
    return 'refused'
  }
}

/** A copy of what is damaged must not come out as something whole. */
export async function copyOne(client: Client, ledger: Ledger, cell: Cell): Promise<Reading> {
  const content = contentOf(cell)
  if (content === undefined) return 'right'
  const to = { bucket: plainBucket, key: 'a-copy' }
  const headers = { 'x-amz-copy-source': `/${plainBucket}/${cell.key}` }
  const copied = await client.send({ method: 'PUT', ...to, headers }).catch(() => undefined)
  if (copied === undefined || copied.status !== 200 || !copied.body.includes('CopyObjectResult')) return 'refused'
  const reading = readingOf(await client.send({ method: 'GET', ...to }).catch(() => undefined), ledger.bytesOf(content))
  await client.send({ method: 'DELETE', ...to })
  return reading
}

interface Of {
  readonly cell: Cell
  readonly content: Content
  readonly ledger: Ledger
}

async function readOne(client: Client, { cell, content, ledger }: Of): Promise<Reading> {
  const answer = await client.send({ method: 'GET', bucket: cell.bucket, key: cell.key }).catch(() => undefined)
  const reading = readingOf(answer, ledger.bytesOf(content))
  return reading === 'right' && answer?.headers['etag'] !== `"${content.etag}"` ? 'misdescribed' : reading
}

async function readPart(client: Client, { cell, content, ledger, random }: Of & Pick<Reader, 'random'>): Promise<Reading> {
  const start = random.below(content.size)
  const size = 1 + random.below(content.size - start)
  const headers = { range: `bytes=${start}-${start + size - 1}` }
  const answer = await client.send({ method: 'GET', bucket: cell.bucket, key: cell.key, headers }).catch(() => undefined)
  return readingOf(answer, ledger.bytesOf({ offset: content.offset + start, size }))
}

function readingOf(answer: Answer | undefined, bytes: Buffer): Reading {
  if (answer === undefined || answer.status >= 500) return 'refused'
  if (answer.status >= 300) return 'denied'
  return answer.body.equals(bytes) ? 'right' : 'wrong'
}

function contentOf({ events }: Cell): Content | undefined {
  const state = events.at(-1)?.state ?? 'absent'
  return state === 'absent' ? undefined : state
}
