/** Writes a change of the control plane, wherever home is, and answers when it can be read here. */
import { sleep } from '../lib/engine.ts'
import { type ControlChange, type ControlRow, NotControlHome } from '../metadata/tables/control.ts'
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

type Asked = WriteRequest & { readonly since: number }

interface Written {
  /** The region that was home. */
  readonly by: string
  readonly row: ControlRow
}

export class ControlWriter {
  readonly #parts: WriterParts

  constructor(parts: WriterParts) {
    this.#parts = parts
  }

  /**
   * @param patience  `attempt`: gives up at the first failure
   * @throws S3Error as home refuses the change; ServiceUnavailable naming the region that cannot be reached, which says so when it is not known whether the change was written
   */
  async write(request: WriteRequest, patience: 'patient' | 'attempt' = 'patient'): Promise<ControlRow> {
    const { log, closing, patienceMs } = this.#parts
    log.checkRunning()
    const limit = AbortSignal.any([closing, AbortSignal.timeout(patienceMs)])
    const asked = { ...request, since: log.position }
    const written = (await this.#writeHere(asked)) ?? (await this.#forward(asked, { limit, isPatient: patience === 'patient' }))
    if (written.by !== log.self) await this.#takeIn(written, limit)
    return written.row
  }

  /** @returns undefined when this region is not home @throws S3Error as the change is refused */
  async #writeHere(request: Asked): Promise<Written | undefined> {
    const { log } = this.#parts
    if (!log.isHome) return undefined
    try {
      return { by: log.self, row: await log.append(request) }
    } catch (error) {
      if (error instanceof NotControlHome) return undefined
      throw error
    }
  }

  async #forward(request: Asked, { limit, isPatient }: { readonly limit: AbortSignal; readonly isPatient: boolean }): Promise<Written> {
    const { log, peers } = this.#parts
    let believed = log.home
    let mayBeWritten = false
    for (;;) {
      const target = believed
      try {
        if (target === undefined) throw unknownHome(log.self)
        if (target === log.self) {
          const here = await this.#hereSoon(request, limit)
          if (here !== undefined) return here
          believed = log.home
          continue
        }
        const message = jsonBody({ ...request, epoch: log.knownEpoch })
        const asked = { method: 'POST', path: appendPath, ...message, answerTimeoutMs, signal: limit } as const
        const answer = (await peers.to(target).request(asked)).json(appendAnswerSchema)
        if (answer.outcome === 'written') return { by: target, row: answer.row }
        // Home has moved, or is about to: one of the two logs will know soon.
        believed = answer.home === '' ? log.home : answer.home
        await sleep(restMs, limit)
      } catch (error) {
        mayBeWritten ||= mayHaveArrived(error)
        const at = { target: target ?? log.self, limit, isPatient }
        await this.#afterFailure(error, at).catch((failure: unknown) => {
          throw mayBeWritten ? withUnknownOutcome(failure) : failure
        })
        // Whoever was away may not be home any more.
        believed = log.home
      }
    }
  }

  /** Home is about to be here: its last row is on its way, or it was heard of and has not come yet. */
  async #hereSoon(request: Asked, limit: AbortSignal): Promise<Written | undefined> {
    const here = await this.#writeHere(request)
    if (here !== undefined) return here
    try {
      await sleep(restMs, limit)
    } catch {
      throw unknownHome(this.#parts.log.self)
    }
    return undefined
  }

  /** Returns when another attempt makes sense. @throws S3Error ServiceUnavailable when none does */
  async #afterFailure(
    error: unknown,
    at: { readonly target: string; readonly limit: AbortSignal; readonly isPatient: boolean },
  ): Promise<void> {
    const { target, limit, isPatient } = at
    const { log, peers } = this.#parts
    if (error instanceof S3Error) throw error
    if (error instanceof PeerRefused) throw error.toS3Error()
    const unreachable = error instanceof PeerUnreachable ? error : undefined
    if (unreachable === undefined && !limit.aborted) throw error
    const failure =
      unreachable ?? new PeerUnreachable({ region: target, fault: 'network', why: 'it does not answer in time', cause: error })
    if (!isPatient || limit.aborted) throw failure.toS3Error()
    const { turn } = log
    try {
      await sleep(restMs, limit)
      if (log.home !== target) return
      if (this.#isLongGone(failure)) throw failure
      await peers.to(target).waitUntilReachable(AbortSignal.any([limit, turn]))
    } catch {
      // Another home has been heard of: it may be there.
      if (turn.aborted && !limit.aborted) return
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
  async #takeIn({ by, row }: Written, limit: AbortSignal): Promise<void> {
    const { log } = this.#parts
    if (by === log.source && row.position === log.position + 1) await log.apply([row])
    try {
      await log.waitBeyond(row.position - 1, limit)
    } catch (cause) {
      throw new S3Error('ServiceUnavailable', {
        message: `Region ${by} has made the change; it has not arrived in ${log.self} yet.`,
        cause,
      })
    }
    const [standing] = await log.rowsAfter(row.position - 1, 1)
    // One that is not kept any more came with a snapshot.
    if (standing === undefined || standing.position !== row.position || standing.hash === row.hash) return
    throw new S3Error('ServiceUnavailable', {
      message: `Region ${by} made the change, and is home no more: the change is lost. Try again.`,
    })
  }
}

/** A refusal says that it was not written; whatever else ends a message that was sent says nothing. */
function mayHaveArrived(error: unknown): boolean {
  if (error instanceof PeerUnreachable) return !error.isUnsent && error.fault !== 'credential'
  return !(error instanceof PeerRefused || error instanceof S3Error)
}

function withUnknownOutcome(failure: unknown): unknown {
  if (!(failure instanceof S3Error) || failure.status < 500) return failure
  const { details, cause } = failure
  const message = `${failure.message.replace(/\.$/, '')}. Whether the change was made is not known: look before you try again.`
  return new S3Error('ServiceUnavailable', { message, details, cause })
}

function unknownHome(self: string): S3Error {
  return new S3Error('ServiceUnavailable', { message: `Region ${self} does not know yet which region keeps the control log.` })
}
