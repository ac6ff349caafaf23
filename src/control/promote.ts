/**
 * Moving home, at an operator's word, to this region. In order: the old home lets writes wait until this region has every row, and writes one
 * last row that names it. By force: this region writes that row itself, when the old home is lost.
 */
import { sleep } from '../lib/engine.ts'
import type { ControlRow } from '../metadata/tables/control.ts'
import { S3Error } from '../model/errors.ts'
import { PeerRefused, PeerUnreachable } from '../peers/errors.ts'
import { jsonBody } from '../peers/json-body.ts'
import type { PeerLog } from '../peers/log.ts'
import type { Peers } from '../peers/peers.ts'
import { type PeerRoute, peerRoute } from '../peers/routes.ts'
import type { ControlLog } from './control-log.ts'
import { type HandoverAnswer, type HandoverAsked, handoverAnswerSchema, handoverSchema, type SaidStanding } from './messages.ts'
import type { Standings } from './standings.ts'
import { takeRows } from './take-rows.ts'
import type { ControlWatch } from './watch.ts'

const handoverPath = 'v1/control/handover'
/** How long the old home lets writes wait for this region to come up with it. */
const catchUpMs = 3_000
const handoverTimeoutMs = 6_000
/** How long an outcome that is not known is looked for. */
const resolveMs = 5_000
const lookMs = 50
const takeTimeoutMs = 5_000

export interface Promotion {
  readonly region: string
  readonly epoch: number
  readonly rows: number
  /** Who was home before; null when nobody knew. */
  readonly from: string | null
  readonly forced: boolean
  /** Rows of the old home that are known to be lost, and, in words, what else may be; null when nothing can be. */
  readonly lost: { readonly knownRows: number; readonly what: string } | null
}

export interface PromoteParts {
  readonly log: ControlLog
  readonly peers: Peers
  readonly watch: ControlWatch
  readonly standings: Standings
  /** Rows that home had when it was last heard, and when that was. */
  readonly homeHeard: () => { readonly position: number; readonly atMs: number } | undefined
  readonly closing: AbortSignal
  readonly peerLog: PeerLog
}

export class Promoter {
  readonly #parts: PromoteParts
  #isBusy = false

  constructor(parts: PromoteParts) {
    this.#parts = parts
  }

  /** @throws S3Error OperationAborted: it was refused, and says why; ServiceUnavailable: the old home cannot be reached */
  async promote({ force }: { readonly force: boolean }): Promise<Promotion> {
    const { log, watch, peerLog } = this.#parts
    if (this.#isBusy) throw refused('A promotion is under way here already.')
    this.#isBusy = true
    try {
      const from = log.home ?? null
      if (log.isHome) return { region: log.self, epoch: log.epoch, rows: log.position, from, forced: false, lost: null }
      const lost = force ? await this.#byForce() : await this.#inOrder('patient')
      const promotion = { region: log.self, epoch: log.epoch, rows: log.position, from, forced: lost !== null, lost }
      peerLog.warn(promotion, 'region became home of the control log')
      watch.nudge()
      return promotion
    } finally {
      this.#isBusy = false
    }
  }

  /** What the old home answers to a region that is to be home. */
  route(): PeerRoute {
    return peerRoute({
      method: 'POST',
      path: handoverPath,
      body: handoverSchema,
      handle: ({ from, signal }, { body }) => this.#handOver(from, { ...body, signal }),
    })
  }

  /** @param patience  `hasty`: an outcome that is not known is not looked for: by force the same row is written, whoever writes it */
  async #inOrder(patience: 'patient' | 'hasty'): Promise<null> {
    const { log, peers, closing } = this.#parts
    log.checkRunning()
    const { home } = log
    if (home === undefined || home === log.self) {
      throw new S3Error('ServiceUnavailable', { message: `Region ${log.self} does not have every row of the control log yet. Try again.` })
    }
    const limit = AbortSignal.any([closing, AbortSignal.timeout(handoverTimeoutMs + resolveMs)])
    try {
      const asked = {
        method: 'POST',
        path: handoverPath,
        ...jsonBody({ epoch: log.epoch, position: log.position, hash: log.hash }),
        answerTimeoutMs: handoverTimeoutMs,
      } as const
      const answer = (await peers.to(home).request({ ...asked, signal: limit })).json(handoverAnswerSchema)
      if (answer.outcome === 'refused') throw refused(answer.why)
      if (answer.outcome === 'notHome') {
        throw refused(
          `Region ${home} does not keep the control log any more${answer.home === '' ? '' : `; ${answer.home} does`}. Try again.`,
        )
      }
      if (answer.row.position === log.position + 1) await log.apply([answer.row])
    } catch (error) {
      if (error instanceof PeerRefused) throw error.toS3Error()
      if (!(error instanceof PeerUnreachable)) throw error
      if (error.fault === 'waiting') throw unreachable(error)
      if (patience === 'hasty' || !(await this.#becomesHome(limit))) throw unknown(error)
    }
    if (!(await this.#becomesHome(limit))) throw refused(`Region ${home} has handed over, and its last row has not come yet.`)
    return null
  }

  /** Looks whether the row that makes this region home comes after all: the follower asks for it. */
  async #becomesHome(limit: AbortSignal): Promise<boolean> {
    const until = performance.now() + resolveMs
    while (!this.#parts.log.isHome) {
      if (performance.now() > until || limit.aborted) return false
      await sleep(lookMs, limit).catch(() => undefined)
    }
    return true
  }

  async #byForce(): Promise<Promotion['lost']> {
    const { log, watch, closing } = this.#parts
    const { home } = log
    try {
      return await this.#inOrder('hasty')
    } catch (error) {
      // Whatever the reason is: the operator has said that it shall be so.
      if (closing.aborted) throw error
    }
    const limit = AbortSignal.any([closing, AbortSignal.timeout(handoverTimeoutMs)])
    const said = await watch.ask(limit)
    await this.#gather(said)
    if (log.isHome) return null
    const heard = this.#parts.homeHeard()
    const epoch = Math.max(log.knownEpoch, ...[...said.values()].map((one) => one.epoch)) + 1
    const before = log.position
    await log.takeOver(epoch)
    const knownRows = Math.max(0, (heard?.position ?? 0) - before)
    const since = heard === undefined ? '' : ` since it was last heard at ${new Date(heard.atMs).toISOString()}`
    return { knownRows, what: `changes that region ${home ?? '(unknown)'} has made${since} and that no region which answers has` }
  }

  /** What any region still has of the old history is not to be lost: the one with the most is asked first. */
  async #gather(said: ReadonlyMap<string, SaidStanding>): Promise<void> {
    const { log, closing } = this.#parts
    const richer = [...said]
      .filter(([, { epoch, position }]) => epoch > log.epoch || position > log.position)
      .sort(([, a], [, b]) => b.epoch - a.epoch || b.position - a.position)
    for (const [from, { epoch }] of richer) {
      if (log.stopped !== undefined && epoch <= log.epoch) continue
      try {
        const limit = AbortSignal.any([closing, AbortSignal.timeout(takeTimeoutMs)])
        const why = await takeRows(this.#parts, { from, answerTimeoutMs: takeTimeoutMs, signal: limit })
        if (why !== undefined && epoch > log.epoch) {
          throw refused(`Region ${from} follows a home that came later, and has another history: ${why}. Promote one of those regions.`)
        }
      } catch (error) {
        if (!(error instanceof PeerUnreachable)) throw error
      }
    }
  }

  async #handOver(
    to: string,
    { epoch, position, hash, signal }: HandoverAsked & { readonly signal: AbortSignal },
  ): Promise<HandoverAnswer> {
    const { log, standings, closing, watch } = this.#parts
    if (!log.isHome) return { outcome: 'notHome', home: log.home ?? '' }
    if (epoch !== log.epoch || this.#isBusy)
      return { outcome: 'refused', why: `Region ${log.self} is in epoch ${log.epoch}, or busy. Try again.` }
    const standing = await log.hashAt(position)
    if (standing !== hash)
      return { outcome: 'refused', why: `Region ${to} has other rows in its control log than region ${log.self}, or too few.` }
    this.#isBusy = true
    const release = log.hold()
    try {
      const limit = AbortSignal.any([signal, closing, AbortSignal.timeout(catchUpMs)])
      for (;;) {
        await standings.untilReached(to, () => log.position, limit)
        const row = await this.#lastRow(to)
        if (row === undefined) continue
        watch.nudge()
        return { outcome: 'handedOver', row }
      }
    } catch (error) {
      if (error instanceof S3Error) throw error
      const lacks = log.position - (standings.provenOf(to) ?? 0)
      return {
        outcome: 'refused',
        why: `Region ${to} lacks ${lacks} rows of the control log. Nothing has changed; try again when it has caught up.`,
      }
    } finally {
      release()
      this.#isBusy = false
    }
  }

  /** Undefined when a row that was under way has come in between. */
  async #lastRow(to: string): Promise<ControlRow | undefined> {
    const { log } = this.#parts
    try {
      return await log.handOver({ region: to, position: log.position })
    } catch (error) {
      if (error instanceof S3Error && error.code === 'OperationAborted') return undefined
      throw error
    }
  }
}

function refused(message: string): S3Error {
  return new S3Error('OperationAborted', { message })
}

function unreachable(error: PeerUnreachable): S3Error {
  return new S3Error('ServiceUnavailable', {
    message: `${error.message}. Nothing has changed. If it is lost for good, promote with --force: changes that it alone has are lost then.`,
    cause: error,
  })
}

function unknown(error: PeerUnreachable): S3Error {
  return new S3Error('ServiceUnavailable', {
    message: `${error.message}. Whether it has handed over is not known; this region is home as soon as it hears so (farshore regions). If the old home is lost for good, promote with --force.`,
    cause: error,
  })
}
