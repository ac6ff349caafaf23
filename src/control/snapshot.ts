/** The whole state of the control plane for a region that is new or far behind: held for it in pages, and fetched page by page. */
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Clock } from '../lib/clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import { type ControlSnapshot, controlSnapshot, digestOf } from '../metadata/tables/control-snapshot.ts'
import { S3Error } from '../model/errors.ts'
import type { Peers } from '../peers/peers.ts'
import { type PeerRoute, peerRoute } from '../peers/routes.ts'
import { type SnapshotAnswer, snapshotAnswerSchema, snapshotQuerySchema, snapshotSchema } from './messages.ts'

const snapshotPath = 'v1/control/snapshot'
/** Of the gzipped text, before base64: within what an answer between regions may have. */
const pageBytes = 2 * 1024 * 1024
const pagesMax = 64
/** Of the text. */
const snapshotMaxBytes = 256 * 1024 * 1024
/** For whoever fetches it at its leisure. */
const heldMs = 60_000
const answerTimeoutMs = 30_000

/** One is held at a time: whoever asks for a new one while another fetches gets the same, and a fresh one once that is old. */
export class SnapshotDesk {
  readonly #metadata: Metadata
  readonly #clock: Clock
  #held: { readonly id: string; readonly untilMs: number; readonly pages: Promise<readonly string[]> } | undefined

  constructor({ metadata, clock }: { readonly metadata: Metadata; readonly clock: Clock }) {
    this.#metadata = metadata
    this.#clock = clock
  }

  route(): PeerRoute {
    return peerRoute({ method: 'GET', path: snapshotPath, query: snapshotQuerySchema, handle: (_, { query }) => this.#answer(query) })
  }

  async #answer({ id, page }: { readonly id: string; readonly page: number }): Promise<SnapshotAnswer> {
    const nowMs = this.#clock.nowMs()
    if (this.#held !== undefined && this.#held.untilMs < nowMs) this.#held = undefined
    if (id !== '' && id !== this.#held?.id) return { outcome: 'gone' }
    this.#held ??= { id: randomUUID(), untilMs: nowMs + heldMs, pages: this.#make() }
    const held = this.#held
    const pages = await held.pages.catch((error: unknown) => {
      this.#held = undefined
      throw error
    })
    const data = pages[page]
    return data === undefined ? { outcome: 'gone' } : { outcome: 'page', id: held.id, pages: pages.length, data }
  }

  async #make(): Promise<readonly string[]> {
    const snapshot = await this.#metadata.read(controlSnapshot)
    if (snapshot === undefined) throw new S3Error('ServiceUnavailable', { message: 'There are no rows of the control log here.' })
    const text = Buffer.from(JSON.stringify(snapshot))
    if (text.length > snapshotMaxBytes) throw tooLarge()
    const packed = await promisify(gzip)(text)
    const pages: string[] = []
    for (let at = 0; at < packed.length; at += pageBytes) pages.push(packed.subarray(at, at + pageBytes).toString('base64'))
    if (pages.length > pagesMax) throw tooLarge()
    return pages
  }
}

/** @throws PeerUnreachable | PeerRefused; Error when what comes is not what was promised */
export async function fetchSnapshot(
  { peers }: { readonly peers: Peers },
  { from, signal }: { readonly from: string; readonly signal: AbortSignal },
): Promise<ControlSnapshot> {
  const pieces: Buffer[] = []
  let id = ''
  for (let page = 0, pages = 1; page < pages; page += 1) {
    const asked = { method: 'GET', path: snapshotPath, query: { id, page }, answerTimeoutMs, signal } as const
    const answer = (await peers.to(from).request(asked)).json(snapshotAnswerSchema)
    if (answer.outcome === 'gone') throw new Error(`the snapshot of region ${from} is gone before it was fetched`)
    if (answer.pages > pagesMax) throw tooLarge()
    id = answer.id
    pages = answer.pages
    pieces.push(Buffer.from(answer.data, 'base64'))
  }
  const text = await promisify(gunzip)(Buffer.concat(pieces), { maxOutputLength: snapshotMaxBytes })
  const snapshot = snapshotSchema.parse(JSON.parse(text.toString('utf8')))
  if (digestOf(snapshot.tables) !== snapshot.digest) throw new Error(`the snapshot of region ${from} is not what its digest says`)
  return snapshot
}

function tooLarge(): S3Error {
  return new S3Error('ServiceUnavailable', { message: `The state of the control plane is larger than ${snapshotMaxBytes} bytes.` })
}
