/** Keeps this region's copy of the control log up with home's: asks for the rows behind its own, and is answered when there are any. */
import type { Clock } from '../lib/clock.ts'
import { type Engine, sleep } from '../lib/engine.ts'
import type { ControlRow } from '../metadata/tables/control.ts'
import { PeerUnreachable } from '../peers/errors.ts'
import type { Peers } from '../peers/peers.ts'
import type { ControlLog } from './control-log.ts'
import type { RowsAnswer } from './messages.ts'
import { fetchSnapshot } from './snapshot.ts'
import { applyKnown, askForRows } from './take-rows.ts'

const pollMs = 20_000
/** What the way there and back may take on top. */
const slackMs = 10_000
/** After trouble that the link's own breaker does not watch. */
const restMs = 1_000

export interface FollowerParts {
  readonly log: ControlLog
  readonly peers: Peers
  readonly clock: Clock
}

export class ControlFollower implements Engine {
  readonly name = 'control-follower'
  readonly #parts: FollowerParts
  #taken: { readonly from: string; readonly rows: readonly ControlRow[] | 'snapshot' } | undefined
  #homePosition: number | undefined
  /** Who was heard last. */
  #heardFrom: string | undefined
  #heardMs: number | undefined
  #trouble: string | undefined

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  /** Rows that home had when it was last heard; undefined before. */
  get homePosition(): number | undefined {
    return this.#homePosition
  }

  /** Rows that home had when it was last heard, and when that was. */
  get heard(): { readonly position: number; readonly atMs: number } | undefined {
    if (this.#homePosition === undefined || this.#heardMs === undefined) return undefined
    return { position: this.#homePosition, atMs: this.#heardMs }
  }

  status(): Readonly<Record<string, unknown>> {
    const { log } = this.#parts
    const { home, position, stopped } = log
    if (stopped !== undefined) return { state: 'stopped', home, position, reason: stopped }
    if (log.isHome) return { state: 'home', home, position }
    const known = this.#homePosition
    const facts = { home, position, behind: known === undefined ? undefined : Math.max(0, known - position), heardMs: this.#heardMs }
    return this.#trouble === undefined ? { state: 'following', ...facts } : { state: 'unreachable', ...facts, reason: this.#trouble }
  }

  async work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { log } = this.#parts
    const taken = this.#taken
    this.#taken = undefined
    if (taken === undefined || log.stopped !== undefined) return 'idle'
    // Another home has been heard of meanwhile: what the old one says is not to be built on.
    if (taken.from !== log.source) return 'idle'
    if (taken.rows === 'snapshot') await this.#takeSnapshot(taken.from, signal)
    else if (taken.rows.length === 0) return 'idle'
    else await applyKnown(log, taken.rows)
    return 'busy'
  }

  async wait(signal: AbortSignal): Promise<void> {
    const { log } = this.#parts
    const { turn, source } = log
    const either = AbortSignal.any([signal, turn])
    try {
      if (log.stopped !== undefined) await aborted(either)
      else if (source === undefined) await log.waitBeyond(log.position, either)
      else await this.#follow(source, either)
    } catch (error) {
      if (signal.aborted || !turn.aborted) throw error
    }
  }

  async #follow(source: string, signal: AbortSignal): Promise<void> {
    try {
      // One that was not heard yet is to say at once where it stands: the answer to a long question may never come.
      const waitMs = this.#heardFrom === source ? pollMs : 0
      const asking = { from: source, waitMs, answerTimeoutMs: pollMs + slackMs, signal }
      this.#heard(source, await askForRows(this.#parts, asking))
    } catch (error) {
      if (signal.aborted || !(error instanceof PeerUnreachable)) throw error
      this.#trouble = error.message
      await this.#untilBack(error, signal)
    }
  }

  async #takeSnapshot(from: string, signal: AbortSignal): Promise<void> {
    const { log } = this.#parts
    try {
      const snapshot = await fetchSnapshot(this.#parts, { from, signal })
      if (from === log.source) await log.replace(snapshot)
    } catch (error) {
      if (!(error instanceof PeerUnreachable)) throw error
      this.#trouble = error.message
    }
  }

  #heard(from: string, answer: RowsAnswer): void {
    const { log, clock } = this.#parts
    this.#trouble = undefined
    this.#heardFrom = from
    switch (answer.outcome) {
      case 'diverged':
        log.stop(`the histories differ: ${answer.why}${log.knownEpoch > log.epoch ? lostTail(log) : '; see docs/home-region.md'}`)
        return
      case 'trimmed':
        this.#taken = { from, rows: 'snapshot' }
        return
      case 'rows':
        this.#heardMs = clock.nowMs()
        this.#homePosition = answer.position
        if (answer.home !== '') log.assumeHome(answer.home)
        this.#taken = { from, rows: answer.rows }
        return
      default:
        answer satisfies never
    }
  }

  async #untilBack({ region, fault }: PeerUnreachable, signal: AbortSignal): Promise<void> {
    const peer = this.#parts.peers.all.find((candidate) => candidate.region === region)
    if (peer === undefined || fault === 'server') return sleep(restMs, signal)
    await peer.waitUntilReachable(signal)
  }
}

/** A home was lost and another made, and this region has rows that the new one did not have. */
function lostTail({ home, knownEpoch, self }: ControlLog): string {
  const tail = `region ${home} became home in epoch ${knownEpoch}, and region ${self} has changes that are not in its history`
  return `; ${tail}; to take it back: farshore regions rejoin ${self} (docs/home-region.md)`
}

/** Rejects when the signal does, and not before. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
