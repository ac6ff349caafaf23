/**
 * When access keys were last used. Noted in memory as each signature is verified, and written once a minute at most: a request never waits
 * for it, and a crash loses a minute of it.
 */
import type { Clock } from '../lib/clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import { keyUse } from '../metadata/tables/key-uses.ts'
import type { KeyUse } from '../model/identities.ts'

export interface KeyUsesParts {
  readonly metadata: Pick<Metadata, 'commit' | 'read'>
  readonly clock: Clock
}

/** Of one key. */
const writeEveryMs = 60_000
/** A key that was not in use: soon, together with others. */
const writeFirstMs = 5_000
/** Keys in use within a minute of which it is noted, and those of one commit. */
const notedMax = 10_000
const commitMax = 200

interface Noted {
  usedMs: number
  service: string
  region: string
  isWritten: boolean
  writtenMs: number
}

export class KeyUses {
  readonly #parts: KeyUsesParts
  readonly #noted = new Map<string, Noted>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(parts: KeyUsesParts) {
    this.#parts = parts
  }

  /** NOTE: called by every request. */
  note(accessKeyId: string, { usedMs, service, region }: KeyUse): void {
    const noted = this.#noted.get(accessKeyId)
    if (noted === undefined) {
      if (this.#noted.size >= notedMax) return
      this.#noted.set(accessKeyId, { usedMs, service, region, isWritten: false, writtenMs: Number.NEGATIVE_INFINITY })
      this.#wake(writeFirstMs)
      return
    }
    noted.usedMs = usedMs
    noted.service = service
    noted.region = region
    if (!noted.isWritten) return
    noted.isWritten = false
    this.#wake(writeEveryMs)
  }

  /** By what this region has written, and by what this thread knows besides. */
  async lastUse(accessKeyId: string): Promise<KeyUse | undefined> {
    const written = await this.#parts.metadata.read(() => keyUse(accessKeyId))
    const noted = this.#noted.get(accessKeyId)
    if (noted === undefined || (written !== undefined && written.usedMs > noted.usedMs)) return written
    const { usedMs, service, region } = noted
    return { usedMs, service, region }
  }

  /** Writes what is due. It never fails: what cannot be written now is kept until it can. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeDue(writeEveryMs))
    return this.#writing
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#writing
    await this.#writeDue(0)
  }

  #wake(ms: number): void {
    if (this.#timer !== undefined || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.write()
    }, ms)
    this.#timer.unref()
  }

  async #writeDue(restMs: number): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    const due = [...this.#noted].filter(([, { isWritten, writtenMs }]) => !isWritten && nowMs - writtenMs >= restMs)
    for (let at = 0; at < due.length; at += commitMax) await this.#writeSome(due.slice(at, at + commitMax), nowMs)
    for (const [accessKeyId, { isWritten, writtenMs }] of this.#noted) {
      if (isWritten && nowMs - writtenMs >= writeEveryMs) this.#noted.delete(accessKeyId)
    }
    // Also for those that are written: they make room for others when they have not been used for so long.
    if (this.#noted.size > 0) this.#wake(writeEveryMs)
  }

  async #writeSome(due: readonly (readonly [string, Noted])[], nowMs: number): Promise<void> {
    const uses = due.map(([accessKeyId, { usedMs, service, region }]) => ({ accessKeyId, usedMs, service, region }))
    // It may be used again while this is under way.
    for (const [, noted] of due) noted.isWritten = true
    try {
      await this.#parts.metadata.commit({ tx: 'noteKeyUses', uses })
      for (const [, noted] of due) noted.writtenMs = nowMs
    } catch {
      // Full or fenced, which the store tells of itself.
      for (const [, noted] of due) noted.isWritten = false
    }
  }
}
