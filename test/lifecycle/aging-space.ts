/** The rows of a region in a folder that outlives its process, and an engine that ages them. */
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import { LifecycleEngine } from '../../src/lifecycle/engine.ts'
import type { Metadata } from '../../src/metadata/engine.ts'
import { schema } from '../../src/metadata/schema.ts'
import { openSqlite } from '../../src/metadata/sqlite/open.ts'
import { transactions, usesReserve } from '../../src/metadata/transactions.ts'

const region = 'us-east-1'

export interface AgingSpace {
  readonly metadata: Metadata
  readonly engine: LifecycleEngine
  /** What went wrong in the engine. */
  readonly warnings: readonly string[]
}

export async function openSpace(folder: string): Promise<AgingSpace> {
  const warnings: string[] = []
  const warn = (fields: object, message: string): void => void warnings.push(`${message} ${JSON.stringify(fields)}`)
  const metadata = await openSqlite({
    directory: join(folder, 'metadata'),
    transactions,
    usesReserve,
    schema,
    clock: systemClock,
    reserveBytes: 1,
  })
  const ids = new HybridClock({ clock: systemClock, region })
  const engine = new LifecycleEngine({ metadata, ids, clock: systemClock, dayMs: 24 * 3600 * 1000, log: { warn } })
  return { metadata, engine, warnings }
}
