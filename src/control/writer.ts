/** Writes a change of the control plane, wherever home is, and answers when it can be read here. */
import { sleep } from '../lib/engine.ts'
import type { ControlChange, ControlRow } from '../metadata/tables/control.ts'
import { S3Error } from '../model/errors.ts'
import { PeerRefused, PeerUnreachable } from '../peers/errors.ts'
import { jsonBody } from '../peers/json-body.ts'
import type { Peers } from '../peers/peers.ts'
import type { ControlLog } from './control-log.ts'
import { appendPath } from './home.ts'
import { appendAnswerSchema } from './messages.ts'

/** How long a client waits while home cannot be reached. */
export const patienceMs = 5_000
/** Of one attempt: a hanging home leaves time for another. */
const answerTimeoutMs = 2_000
const restMs = 100

export interface WriterParts {
  readonly log: ControlLog
  readonly peers: Peers
  /** Aborted when the region stops. */
  readonly closing: AbortSignal
  readonly patienceMs: number
}

export interface WriteRequest {
  /** The same for every attempt at the same change: however many arrive, one row is written. */
  readonly requestId: string
  readonly change: ControlChange
}

export class ControlWriter {
  readonly #parts: WriterParts

  constructor(parts: WriterParts) {
    this.#parts = parts
  }

  /**
   * @param patience  `attempt`: gives up at the first failure
   * @throws S3Error as home refuses the change; ServiceUnavailable naming the region that cannot be reached, and then it is unknown whether it was written
   */
  async write(request: WriteRequest, patience: 'patient' | 'attempt' = 'patient'): Promise<ControlRow> {
    const { log, closing, patienceMs } = this.#parts
    log.checkRunning()
    if (log.home === log.self) return log.append(request)
    const limit = AbortSignal.any([closing, AbortSignal.timeout(patienceMs)])
    const row = await this.#forward(request, { limit, isPatient: patience === 'patient' })
    await this.#takeIn(row, limit)
    return row
  }

  async #forward(
    request: WriteRequest,
    { limit, isPatient }: { readonly limit: AbortSignal; readonly isPatient: boolean },
  ): Promise<ControlRow> {
    const { log, peers } = this.#parts
    let believed = log.home
    for (;;) {
      const target = believed
      if (target === undefined || target === log.self) throw unknownHome(log.self)
      try {
        const asked = { method: 'POST', path: appendPath, ...jsonBody(request), answerTimeoutMs, signal: limit } as const
        const answer = (await peers.to(target).request(asked)).json(appendAnswerSchema)
        if (answer.outcome === 'written') return answer.row
        // Home has moved, or is about to: one of the two logs will know soon.
        believed = answer.home === '' || answer.home === log.self ? log.home : answer.home
        await sleep(restMs, limit)
      } catch (error) {
        if (error instanceof PeerRefused) throw error.toS3Error()
        await this.#afterFailure(error, { target, limit, isPatient })
      }
    }
  }

  /** Returns when another attempt makes sense. @throws S3Error ServiceUnavailable when none does */
  async #afterFailure(
    error: unknown,
    at: { readonly target: string; readonly limit: AbortSignal; readonly isPatient: boolean },
  ): Promise<void> {
    const { target, limit, isPatient } = at
    const { peers } = this.#parts
    const unreachable = error instanceof PeerUnreachable ? error : undefined
    if (unreachable === undefined && !limit.aborted) throw error
    const failure =
      unreachable ?? new PeerUnreachable({ region: target, fault: 'network', why: 'it does not answer in time', cause: error })
    if (!isPatient || limit.aborted || this.#isLongGone(failure)) throw failure.toS3Error()
    try {
      await sleep(restMs, limit)
      await peers.to(target).waitUntilReachable(limit)
    } catch {
      throw failure.toS3Error()
    }
  }

  /** A region that has been away for longer than anybody would wait is not waited for. */
  #isLongGone({ region, fault }: PeerUnreachable): boolean {
    if (fault !== 'waiting') return false
    const peer = this.#parts.peers.all.find((candidate) => candidate.region === region)
    return peer === undefined || peer.awayMs > this.#parts.patienceMs
  }

  /** Whoever has been told that it is done can read it here. */
  async #takeIn(row: ControlRow, limit: AbortSignal): Promise<void> {
    const { log } = this.#parts
    if (row.position === log.position + 1) await log.apply([row])
    try {
      await log.waitBeyond(row.position - 1, limit)
    } catch (cause) {
      throw new S3Error('ServiceUnavailable', {
        message: `Region ${log.home} has made the change; it has not arrived in ${log.self} yet.`,
        cause,
      })
    }
  }
}

function unknownHome(self: string): S3Error {
  return new S3Error('ServiceUnavailable', { message: `Region ${self} does not know yet which region keeps the control log.` })
}
