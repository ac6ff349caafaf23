/** Keeps this region's copy of the control log up with home's: asks for the rows behind its own, and is answered when there are any. */
import type { Clock } from '../lib/clock.ts'
import { type Engine, sleep } from '../lib/engine.ts'
import type { ControlRow } from '../metadata/tables/control.ts'
import { PeerUnreachable } from '../peers/errors.ts'
import type { Peers } from '../peers/peers.ts'
import type { ControlLog } from './control-log.ts'
import { rowsPath } from './home.ts'
import { isKnown, type RowsAnswer, rowsAnswerSchema } from './messages.ts'

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
  #rows: readonly ControlRow[] = []
  #homePosition: number | undefined
  #heardMs: number | undefined
  #trouble: string | undefined

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  /** Rows that home had when it was last heard; undefined before. */
  get homePosition(): number | undefined {
    return this.#homePosition
  }

  status(): Readonly<Record<string, unknown>> {
    const { log } = this.#parts
    const { home, position, stopped } = log
    if (stopped !== undefined) return { state: 'stopped', home, position, reason: stopped }
    if (home === log.self) return { state: 'home', home, position }
    const known = this.#homePosition
    const facts = { home, position, behind: known === undefined ? undefined : Math.max(0, known - position), heardMs: this.#heardMs }
    return this.#trouble === undefined ? { state: 'following', ...facts } : { state: 'unreachable', ...facts, reason: this.#trouble }
  }

  async work(): Promise<'busy' | 'idle'> {
    const { log } = this.#parts
    const rows = this.#rows
    this.#rows = []
    if (rows.length === 0 || log.stopped !== undefined) return 'idle'
    const unknown = rows.findIndex((row) => !isKnown(row))
    await log.apply(unknown === -1 ? rows : rows.slice(0, unknown))
    const stranger = rows[unknown]
    if (stranger !== undefined) {
      log.stop(
        `row ${stranger.position} holds a change that this version does not know (${stranger.change.kind}); run the version that ${log.home} runs`,
      )
    }
    return 'busy'
  }

  async wait(signal: AbortSignal): Promise<void> {
    const { log } = this.#parts
    if (log.stopped !== undefined) return aborted(signal)
    if (log.home === undefined || log.home === log.self) return log.waitBeyond(log.position, signal)
    try {
      this.#heard(await this.#ask(log.home, signal))
    } catch (error) {
      if (signal.aborted || !(error instanceof PeerUnreachable)) throw error
      this.#trouble = error.message
      await this.#untilBack(error, signal)
    }
  }

  async #ask(home: string, signal: AbortSignal): Promise<RowsAnswer> {
    const { log, peers } = this.#parts
    const query = { after: log.position, hash: log.hash, waitMs: pollMs }
    const answer = await peers.to(home).request({ method: 'GET', path: rowsPath, query, answerTimeoutMs: pollMs + slackMs, signal })
    return answer.json(rowsAnswerSchema)
  }

  #heard(answer: RowsAnswer): void {
    const { log, clock } = this.#parts
    this.#trouble = undefined
    if (answer.outcome === 'diverged') {
      log.stop(`the histories differ: ${answer.why}`)
      return
    }
    this.#heardMs = clock.nowMs()
    this.#homePosition = answer.position
    if (answer.home !== '') log.assumeHome(answer.home)
    this.#rows = answer.rows
  }

  async #untilBack({ region, fault }: PeerUnreachable, signal: AbortSignal): Promise<void> {
    const peer = this.#parts.peers.all.find((candidate) => candidate.region === region)
    if (peer === undefined || fault === 'server') return sleep(restMs, signal)
    await peer.waitUntilReachable(signal)
  }
}

/** Rejects when the signal does, and not before. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
