/**
 * Calls to a disk that may be a network's, or asleep: few at a time, each for so long and no longer, its failure in the tier's own words. A call that
 * hangs keeps its place (and one of node's threads) until it ends, so that a disk that is gone takes no more of them.
 */
import { TierFull, TierRefused, TierUnavailable } from './errors.ts'

const callsMax = 4
const patienceMsDefault = 60_000

export interface CallOptions<T> {
  /** For people: `Could not …`. */
  readonly doing: string
  readonly signal?: AbortSignal | undefined
  /** Told what came too late for the caller, who is gone. */
  readonly tooLate?: (result: T) => Promise<unknown>
}

export class SlowDisk {
  readonly #tier: string
  readonly #patienceMs: number
  readonly #waiting: (() => void)[] = []
  #underWay = 0

  constructor({ tier, patienceMs = patienceMsDefault }: { readonly tier: string; readonly patienceMs?: number }) {
    this.#tier = tier
    this.#patienceMs = patienceMs
  }

  /** @throws TierUnavailable | TierFull | TierRefused, the system's error as the cause; the signal's reason; ENOENT and EEXIST as they are */
  call<T>(work: () => Promise<T>, { doing, signal, tooLate }: CallOptions<T>): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      let isOver = false
      const over = (settle: () => void): void => {
        if (isOver) return
        isOver = true
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        settle()
      }
      const onAbort = (): void => over(() => reject(signal?.reason))
      const timer = setTimeout(() => over(() => reject(this.#unavailable(doing, 'the disk does not answer'))), this.#patienceMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      const begin = async (): Promise<void> => {
        if (isOver) return
        try {
          const result = await work()
          if (isOver) await tooLate?.(result)
          over(() => resolve(result))
        } catch (error) {
          over(() => reject(this.#asTierError(error, doing)))
        }
      }
      void this.#inTurn(begin)
    })
  }

  async #inTurn(begin: () => Promise<void>): Promise<void> {
    if (this.#underWay < callsMax) this.#underWay += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    await begin().catch(() => undefined)
    const next = this.#waiting.shift()
    // The place goes to the next, or is free.
    if (next === undefined) this.#underWay -= 1
    else next()
  }

  #asTierError(error: unknown, doing: string): unknown {
    const code = codeOf(error)
    const message = `Tier ${this.#tier}: could not ${doing}: ${code ?? String(error)}`
    switch (code) {
      case 'ENOENT':
      case 'EEXIST':
        return error
      case 'ENOSPC':
      case 'EDQUOT':
        return new TierFull(message, { cause: error })
      case 'EACCES':
      case 'EPERM':
      case 'EROFS':
      case 'ENOTDIR':
      case 'EISDIR':
        return new TierRefused(message, { cause: error })
      default:
        return new TierUnavailable(message, { cause: error })
    }
  }

  #unavailable(doing: string, why: string): TierUnavailable {
    return new TierUnavailable(`Tier ${this.#tier}: could not ${doing}: ${why}`)
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
