/**
 * Taking back a region whose history has parted from home's: says what it alone has and, at an operator's word, gives that up for home's names
 * and identities. Its objects stay. A bucket that holds some and that home has not is told to home first, or nothing is done.
 */
import type { Metadata } from '../metadata/engine.ts'
import { bucketsInUse } from '../metadata/tables/buckets.ts'
import { ControlHistoryMismatch, type ControlRow, ControlRowOutdated } from '../metadata/tables/control.ts'
import { controlBase } from '../metadata/tables/control-epochs.ts'
import type { ControlSnapshot } from '../metadata/tables/control-snapshot.ts'
import { S3Error } from '../model/errors.ts'
import { PeerRefused, PeerUnreachable } from '../peers/errors.ts'
import { jsonBody } from '../peers/json-body.ts'
import type { PeerLog } from '../peers/log.ts'
import type { Peers } from '../peers/peers.ts'
import { wordsOfChange } from './change-words.ts'
import type { ControlLog } from './control-log.ts'
import { appendPath, rowsPath } from './home.ts'
import { appendAnswerSchema, rowsAnswerSchema } from './messages.ts'
import { fetchSnapshot } from './snapshot.ts'
import type { ControlWatch } from './watch.ts'

const rejoinMs = 40_000
const answerTimeoutMs = 10_000
/** Rows that are shown; a log that has parted further is nothing to be read line by line. */
const rowsMax = 1000

export interface Rejoining {
  readonly region: string
  readonly home: string
  /** What this region alone has or had, oldest first: `row 7: bucket b made in us-east-1`. */
  readonly alone: readonly string[]
  /** Rows beyond those. */
  readonly unlisted: number
  /** Buckets of this region alone that hold objects: they are told to home, and stay. */
  readonly kept: readonly string[]
  /** Whether it has been done; false when it was only looked at. */
  readonly isDone: boolean
}

export interface RejoinParts {
  readonly metadata: Metadata
  readonly log: ControlLog
  readonly peers: Peers
  readonly watch: ControlWatch
  readonly closing: AbortSignal
  readonly peerLog: PeerLog
}

export class Rejoiner {
  readonly #parts: RejoinParts
  #isBusy = false

  constructor(parts: RejoinParts) {
    this.#parts = parts
  }

  /** @throws S3Error OperationAborted: it was refused, nothing has changed, and says why; ServiceUnavailable: no home can be reached */
  async rejoin({ discard }: { readonly discard: boolean }): Promise<Rejoining> {
    const { log, closing, peerLog } = this.#parts
    if (log.stopped === undefined) throw refused(`Region ${log.self} has not stopped: it has nothing to come back from.`)
    if (this.#isBusy) throw refused(`Region ${log.self} is being taken back already.`)
    this.#isBusy = true
    try {
      const signal = AbortSignal.any([closing, AbortSignal.timeout(rejoinMs)])
      const home = await this.#home(signal)
      const rows = await log.rowsAfter(await this.#lastCommon(home, signal), log.position)
      const kept = await this.#keptBuckets(rows)
      const alone = rows.slice(0, rowsMax).map(({ position, change }) => `row ${position}: ${wordsOfChange(change)}`)
      if (discard) checkOwners(rows, kept)
      if (discard) await this.#takeHomes({ home, kept, signal })
      const rejoining = {
        region: log.self,
        home,
        alone,
        unlisted: rows.length - alone.length,
        kept: kept.map(({ change }) => change.bucket.name),
        isDone: discard,
      }
      if (discard) peerLog.warn(rejoining, 'region gave up its own history of the control log')
      return rejoining
    } catch (error) {
      if (error instanceof PeerRefused || error instanceof PeerUnreachable) throw error.toS3Error()
      throw error
    } finally {
      this.#isBusy = false
    }
  }

  /** A home of a later epoch than this region's rows: of two histories of one epoch none is the one that goes on. */
  async #home(signal: AbortSignal): Promise<string> {
    const { log, watch } = this.#parts
    const said = [...(await watch.ask(signal))].map(([region, standing]) => ({ region, ...standing }))
    const homes = said.filter(({ region, home, epoch }) => home === region && epoch > log.epoch)
    const [newest] = homes.toSorted((one, other) => other.epoch - one.epoch)
    if (newest !== undefined) return newest.region
    throw new S3Error('ServiceUnavailable', {
      message: `Region ${log.self} hears of no home that was made after its own newest row (epoch ${log.epoch}). Start home, or say which region is to be it: farshore regions promote NAME --force`,
    })
  }

  /** @returns the position of the newest row that is the same here and at home */
  async #lastCommon(home: string, signal: AbortSignal): Promise<number> {
    const { metadata, log } = this.#parts
    let same = (await metadata.read(controlBase)).position
    let other = log.position
    while (same < other) {
      const middle = Math.ceil((same + other) / 2)
      if (await this.#isCommon({ home, position: middle, signal })) same = middle
      else other = middle - 1
    }
    return same
  }

  async #isCommon({ home, position, signal }: { readonly home: string; readonly position: number; readonly signal: AbortSignal }) {
    const { log, peers } = this.#parts
    const [row] = await log.rowsAfter(position - 1, 1)
    if (row === undefined) return false
    const query = { after: position, hash: row.hash, epoch: row.epoch, waitMs: 0 }
    const answer = await peers.to(home).request({ method: 'GET', path: rowsPath, query, answerTimeoutMs, signal })
    return answer.json(rowsAnswerSchema).outcome !== 'diverged'
  }

  async #keptBuckets(alone: readonly ControlRow[]): Promise<readonly MadeHere[]> {
    const held = new Set(await this.#parts.metadata.read(bucketsInUse))
    return alone.filter(isMadeBucket).filter(({ change }) => change.bucket.region === this.#parts.log.self && held.has(change.bucket.id))
  }

  async #takeHomes(asked: { readonly home: string; readonly kept: readonly MadeHere[]; readonly signal: AbortSignal }): Promise<void> {
    const { log, peers } = this.#parts
    const { home, kept, signal } = asked
    for (const row of kept) await this.#tellHome(row, asked)
    const snapshot = await fetchSnapshot({ peers }, { from: home, signal })
    // Home gives away for a minute what it has gathered once.
    const late = kept.find(({ change }) => !hasBucket(snapshot, change.bucket.id))
    if (late !== undefined)
      throw refused(`The snapshot of region ${home} is from before it took in bucket ${late.change.bucket.name}. Try again in a minute.`)
    try {
      await log.rejoin(snapshot)
    } catch (error) {
      if (!(error instanceof ControlHistoryMismatch || error instanceof ControlRowOutdated)) throw error
      throw refused(`Region ${log.self} cannot take the state of ${home}: ${error.message}. Nothing has changed here.`)
    }
  }

  /** @throws S3Error OperationAborted naming the bucket */
  async #tellHome({ change }: MadeHere, { home, signal }: { readonly home: string; readonly signal: AbortSignal }): Promise<void> {
    const { peers } = this.#parts
    const { bucket } = change
    // The settings that stand here stay; those of the row are for a region that has none.
    const message = { requestId: `rejoin:${bucket.id}`, change: { ...change, settings: { ownership: 'BucketOwnerEnforced' } } }
    try {
      const asking = { method: 'POST', path: appendPath, ...jsonBody(message), answerTimeoutMs, signal } as const
      const answer = (await peers.to(home).request(asking)).json(appendAnswerSchema)
      if (answer.outcome !== 'written') throw refused(`Region ${home} is home no more. Try again.`)
    } catch (error) {
      if (!(error instanceof PeerRefused)) throw error
      throw refused(
        `Bucket ${bucket.name} of this region holds objects, and home cannot take it in: ${error.message}. Copy its objects elsewhere and empty it. Nothing has changed here.`,
      )
    }
  }
}

type MadeHere = ControlRow & { readonly change: Extract<ControlRow['change'], { readonly kind: 'createBucket' }> }

function isMadeBucket(row: ControlRow): row is MadeHere {
  return row.change.kind === 'createBucket'
}

/** @throws S3Error OperationAborted for a bucket whose owner would go with the rows */
function checkOwners(alone: readonly ControlRow[], kept: readonly MadeHere[]): void {
  const made = new Set(alone.flatMap(({ change }) => (change.kind === 'createAccount' ? [change.account.canonicalId] : [])))
  const orphan = kept.find(({ change }) => made.has(change.bucket.ownerId))
  if (orphan === undefined) return
  const { name } = orphan.change.bucket
  throw refused(
    `Bucket ${name} holds objects, and its owner is an account that this region alone has. Copy its objects elsewhere and empty it.`,
  )
}

function hasBucket({ tables }: ControlSnapshot, id: string): boolean {
  const names = tables.find(({ name }) => name === 'names')?.rows ?? []
  return names.some((cells) => cells.includes(id))
}

function refused(message: string): S3Error {
  return new S3Error('OperationAborted', { message })
}
