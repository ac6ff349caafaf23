/**
 * The engine that reads everything once in a period, within a budget, and marks versions whose bytes are not what was written. Where it stands is
 * a fact, so that a start goes on there. What is marked it reads again every hour, and takes the mark away when it reads well. Bytes in tiers it passes by,
 * and counts them.
 */
import type { Clock } from '../lib/clock.ts'
import { type Engine, sleep } from '../lib/engine.ts'
import type { Pace } from '../lib/pace.ts'
import type { Metadata } from '../metadata/engine.ts'
import { damages } from '../metadata/tables/damage.ts'
import { factOf } from '../metadata/tables/facts.ts'
import { type VersionPlace, versionByOrderedId, versionsAfter } from '../metadata/tables/version-rows.ts'
import { tierOfRef } from '../model/tier-refs.ts'
import { type ObjectVersion, publicVersionId } from '../model/version.ts'
import { type DescribedBlob, faultOfBlob, type ProofParts } from '../objects/blob-proof.ts'
import { markBroken } from '../objects/broken.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { storedBytes } from '../objects/stored-bytes.ts'
import { isTierAway } from '../objects/unavailable.ts'
import { proveVersion } from '../objects/version-proof.ts'

const pageVersions = 64
/** Each version is charged at least this: many small ones cost the processor what few large ones cost the disk. */
const leastCharge = 16 * 1024
const saveEveryMs = 10_000
const pollMs = 60_000
const lookAgainEveryMs = 3600 * 1000
const lookAgainMax = 1000
const factName = 'scrub'
const start: VersionPlace = { bucketId: '', key: '', id: '' }

export interface ScrubLog {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  info(fields: object, message: string): void
}

export interface ScrubParts extends ProofParts {
  readonly metadata: Metadata
  readonly tiers: ObjectParts['tiers']
  readonly pace: Pace
  readonly periodMs: number
  readonly clock: Clock
  readonly log: ScrubLog
}

/** One reading of everything. */
interface Round {
  readonly startedMs: number
  /** Undefined: it is done. */
  readonly after: VersionPlace | undefined
}

export function createScrub(parts: ScrubParts): Engine {
  return new Scrub(parts)
}

class Scrub implements Engine {
  readonly name = 'scrub'
  readonly #parts: ScrubParts
  #round: Round | undefined
  #savedMs = Number.NEGATIVE_INFINITY
  /** Since the last look at what is damaged: one that hangs costs its patience once. */
  readonly #tiersAway = new Set<string>()
  #lookedAgainMs = Number.NEGATIVE_INFINITY
  #versions = 0
  #bytes = 0
  #bytesInTiers = 0
  #damaged = 0
  #healed = 0

  constructor(parts: ScrubParts) {
    this.#parts = parts
  }

  status(): Readonly<Record<string, unknown>> {
    const round = this.#round
    return {
      state: round?.after === undefined ? 'resting' : 'reading',
      ...(round === undefined ? {} : { roundStartedAt: new Date(round.startedMs).toISOString() }),
      versions: this.#versions,
      bytes: this.#bytes,
      bytesInTiers: this.#bytesInTiers,
      damaged: this.#damaged,
      healed: this.#healed,
    }
  }

  async work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    await this.#lookAgainWhenDue(signal)
    const round = await this.#roundNow()
    if (round.after === undefined) return 'idle'
    await this.#readPage(round, round.after, signal)
    return 'busy'
  }

  wait(signal: AbortSignal): Promise<void> {
    return sleep(pollMs, signal)
  }

  async #roundNow(): Promise<Round> {
    const { metadata, clock, periodMs } = this.#parts
    this.#round ??= roundOf(await metadata.read(() => factOf(factName)))
    const nowMs = clock.nowMs()
    const isOver = this.#round?.after === undefined && nowMs - (this.#round?.startedMs ?? Number.NEGATIVE_INFINITY) >= periodMs
    if (this.#round === undefined || isOver) this.#round = { startedMs: nowMs, after: start }
    return this.#round
  }

  async #readPage({ startedMs }: Round, after: VersionPlace, signal: AbortSignal): Promise<void> {
    const { metadata, log, pace } = this.#parts
    const page = await metadata.read(() => versionsAfter(after, pageVersions))
    for (const version of page) {
      const { bucketId, key, id } = version
      await this.#prove(version, signal)
      this.#round = { startedMs, after: { bucketId, key, id } }
      await pace.spend(Math.max(0, leastCharge - version.size), signal)
    }
    const isDone = page.length < pageVersions
    if (isDone) {
      this.#round = { startedMs, after: undefined }
      log.info({ versions: this.#versions, bytes: this.#bytes, damaged: this.#damaged }, 'everything was read')
    }
    if (isDone || performance.now() - this.#savedMs >= saveEveryMs) await this.#save()
  }

  async #save(): Promise<void> {
    if (this.#round === undefined) return
    await this.#parts.metadata.commit({ tx: 'setFact', name: factName, value: JSON.stringify(this.#round) })
    this.#savedMs = performance.now()
  }

  async #prove(version: ObjectVersion, signal: AbortSignal): Promise<void> {
    const { metadata, pace, log } = this.#parts
    if (version.isDeleteMarker) return
    const read: Metadata['read'] = (query) => metadata.read(query)
    const proof = await proveVersion({ ...this.#parts, read }, version, { signal, pace })
    if (proof === undefined) return
    this.#versions += 1
    const inTiers = proof.inTiers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    this.#bytes += version.size - inTiers
    this.#bytesInTiers += inTiers
    const fields = { bucketId: version.bucketId, key: version.key, versionId: publicVersionId(version) }
    const reasons = proof.faults.map(({ reason }) => reason)
    if (reasons.length > 0) {
      if (!(await markBroken(metadata, version, proof.faults)) || version.isDamaged === true) return
      this.#damaged += 1
      log.error({ ...fields, reasons }, 'a version is damaged and will not be given to anybody')
    } else if (version.isDamaged === true && (await this.#isWellInTiers(proof.inTiers, signal))) {
      const { bucketId, key, id } = version
      await metadata.commit({ tx: 'clearDamage', bucketId, key, id })
      this.#healed += 1
      log.warn(fields, 'a version that was damaged reads well')
    }
  }

  /** What is in a tier is read only when it is known as damaged: the tier may have it again. */
  async #isWellInTiers(inTiers: readonly DescribedBlob[], signal: AbortSignal): Promise<boolean> {
    const proof = { ...this.#parts, blobs: storedBytes(this.#parts) }
    for (const described of inTiers) {
      const tier = tierOfRef(described.blob) ?? ''
      if (this.#tiersAway.has(tier)) return false
      try {
        if ((await faultOfBlob(proof, described, { signal, pace: this.#parts.pace })) !== undefined) return false
      } catch (error) {
        if (signal.aborted || !isTierAway(error)) throw error
        this.#tiersAway.add(tier)
        return false
      }
    }
    return true
  }

  async #lookAgainWhenDue(signal: AbortSignal): Promise<void> {
    const { metadata, clock } = this.#parts
    if (clock.nowMs() - this.#lookedAgainMs < lookAgainEveryMs) return
    this.#lookedAgainMs = clock.nowMs()
    this.#tiersAway.clear()
    const known = await metadata.read(() => damages({ after: { ...start, part: 0 }, limit: lookAgainMax }))
    const places = new Map(known.map(({ bucketId, key, id }) => [JSON.stringify([bucketId, key, id]), { bucketId, key, id }]))
    for (const { bucketId, key, id } of places.values()) {
      const version = await metadata.read(() => versionByOrderedId(bucketId, key, id))
      if (version !== undefined) await this.#prove(version, signal)
    }
  }
}

function roundOf(fact: string | undefined): Round | undefined {
  return fact === undefined ? undefined : (JSON.parse(fact) as Round) // written by this file only
}
