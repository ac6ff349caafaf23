/**
 * How many requests a server works at. One that waits for its client, to send or to take bytes, is not worked at: slow clients take no place from
 * quick ones. What comes when all places are taken is refused at once, before its signature is looked at, and told to come again.
 */
import { S3Error } from '../model/errors.ts'
import type { Log } from './log.ts'

/** Refusals are many when they come: one line of the log for all of such a time. */
const loggedEveryMs = 1000

export interface AdmissionOptions {
  readonly maxRequests: number
  readonly nowMs: () => number
  readonly log: Log
}

export class Admission {
  readonly #options: AdmissionOptions
  #atWork = 0
  #refused = 0
  #loggedMs = Number.NEGATIVE_INFINITY

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** One request's place, not taken yet. */
  turn(): Turn {
    return new Turn({
      enter: () => this.#enter(),
      change: (by) => {
        this.#atWork += by
      },
    })
  }

  /** @throws S3Error SlowDown */
  #enter(): void {
    if (this.#atWork < this.#options.maxRequests) {
      this.#atWork += 1
      return
    }
    this.#refused += 1
    this.#tell()
    throw new S3Error('SlowDown')
  }

  #tell(): void {
    const nowMs = this.#options.nowMs()
    if (nowMs - this.#loggedMs < loggedEveryMs) return
    this.#options.log.warn({ refused: this.#refused, atWork: this.#atWork }, 'requests refused, for too many are worked at')
    this.#loggedMs = nowMs
    this.#refused = 0
  }
}

interface Places {
  /** @throws S3Error SlowDown */
  enter(): void
  change(by: 1 | -1): void
}

/** A place is given up and taken back while the request goes on; who has been let in once is never refused. */
export class Turn {
  readonly #places: Places
  #state: 'outside' | 'at work' | 'waits for its client' = 'outside'

  constructor(places: Places) {
    this.#places = places
  }

  /** @throws S3Error SlowDown */
  begin(): void {
    this.#places.enter()
    this.#state = 'at work'
  }

  waitForClient(): void {
    if (this.#state !== 'at work') return
    this.#state = 'waits for its client'
    this.#places.change(-1)
  }

  goOn(): void {
    if (this.#state !== 'waits for its client') return
    this.#state = 'at work'
    this.#places.change(1)
  }

  end(): void {
    if (this.#state === 'at work') this.#places.change(-1)
    this.#state = 'outside'
  }
}
