/** How a tier fares, as its last piece of work showed; told to the log when that changes. */
import type { WatchedSource } from '../lib/watched-source.ts'
import { TierFull, TierRefused, TierUnavailable } from './errors.ts'
import type { TierStatus } from './store.ts'

export interface TierLog {
  warn(fields: object, message: string): void
  info(fields: object, message: string): void
}

export class Standing {
  readonly #of: Pick<TierStatus, 'kind' | 'place'> & { readonly name: string }
  readonly #log: TierLog
  #reason: string | undefined

  constructor(of: Pick<TierStatus, 'kind' | 'place'> & { readonly name: string }, log: TierLog) {
    this.#of = of
    this.#log = log
  }

  /** Does a piece of work, and notes whether the tier let it succeed; `source`: what its failure says is about another place. */
  async during<T>(work: () => Promise<T>, source?: WatchedSource): Promise<T> {
    try {
      const result = await work()
      this.succeeded()
      return result
    } catch (error) {
      if (source?.failure !== undefined) throw source.failure.error
      this.failed(error)
      throw error
    }
  }

  succeeded(): void {
    if (this.#reason === undefined) return
    this.#reason = undefined
    this.#log.info({ tier: this.#of.name }, 'tier works again')
  }

  /** A blob that is lost or rotten, and a caller that gave up, say nothing about the tier. */
  failed(error: unknown): void {
    if (!(error instanceof TierUnavailable || error instanceof TierRefused || error instanceof TierFull)) return
    if (this.#reason === undefined) this.#log.warn({ tier: this.#of.name, err: error }, 'tier failed')
    this.#reason = error.message
  }

  status(): TierStatus {
    const { kind, place } = this.#of
    return this.#reason === undefined ? { kind, place, state: 'ok' } : { kind, place, state: 'failing', reason: this.#reason }
  }
}
