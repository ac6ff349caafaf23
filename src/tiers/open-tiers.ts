/** All tiers of a region, opened. One that cannot be reached, or belongs to somebody else, is shown as failing and does not keep the region from its start. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Clock, systemClock } from '../lib/clock.ts'
import { sleep } from '../lib/engine.ts'
import { tierOfRef, tierRef } from '../model/tier-refs.ts'
import { BucketStore } from './bucket-store.ts'
import { TierRefused } from './errors.ts'
import { FolderStore } from './folder-store.ts'
import { allTiers, builtInTier, type TierSettings } from './settings.ts'
import type { TierLog } from './standing.ts'
import type { TierStore, Tiers } from './store.ts'

export interface TiersConfig {
  readonly region: string
  readonly dataDirectory: string
  readonly tiers: readonly TierSettings[]
  /** Below this free space a folder takes nothing more. */
  readonly reserveBytes: number
}

export interface OpenTiersOptions {
  /** This start's number, above those of earlier starts. */
  readonly boot: number
  /** Whether no other thread has them open yet: what dead writers left is taken away then. Default true. */
  readonly isFirst?: boolean
  readonly clock?: Clock
  readonly log: TierLog
}

export async function openTiers(config: TiersConfig, { boot, isFirst = true, clock = systemClock, log }: OpenTiersOptions): Promise<Tiers> {
  const settings = allTiers(config)
  const stores = await Promise.all(settings.map((tier) => openTier(config, tier, { boot, isFirst, clock, log })))
  const byName = new Map(stores.map((store) => [store.name, store]))
  const byClass = new Map(settings.flatMap(({ name, classes }) => classes.map((storageClass) => [storageClass, byName.get(name)])))
  return {
    tierFor: (storageClass) => byClass.get(storageClass),
    tierOf(ref) {
      const name = tierOfRef(ref)
      const store = byName.get(name ?? '')
      if (store === undefined) throw new TierRefused(`Tier ${name ?? `of ${ref}`} is not in the configuration`)
      return store
    },
    newRef: ({ name }) => tierRef(name, { boot, randomId: randomBytes(16).toString('hex') }),
    all: stores,
    async close() {
      await Promise.all(stores.map((store) => store.close()))
    },
  }
}

async function openTier(config: TiersConfig, tier: TierSettings, options: Required<OpenTiersOptions>): Promise<TierStore> {
  const { name, folder, bucket } = tier
  const of = { ...options, name, region: config.region, claimsFolder: join(config.dataDirectory, 'tiers') }
  if (bucket !== undefined) return new BucketStore({ ...of, bucket })
  if (folder === undefined) throw new Error(`Tier ${name} is neither a folder nor a bucket`)
  const store = new FolderStore({ ...of, folder, reserveBytes: config.reserveBytes })
  // Our own is made when it is needed first; the operator's is looked at, so that a mistake shows at once.
  await forAtMost(startPatienceMs, store.begin({ mayClaim: name !== builtInTier }))
  return store
}

/** A disk that hangs is looked at further while the region starts. */
const startPatienceMs = 5_000

async function forAtMost(durationMs: number, work: Promise<void>): Promise<void> {
  const over = new AbortController()
  await Promise.race([work, sleep(durationMs, over.signal).catch(() => undefined)])
  over.abort()
}
