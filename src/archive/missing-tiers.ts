/** Tiers that hold bytes of this region and that its configuration does not name: what is in them cannot be read. */
import type { Metadata } from '../metadata/engine.ts'
import { tiersInUse } from '../metadata/tables/tier-writes.ts'
import type { Tiers } from '../tiers/store.ts'

/** Their names, in order. */
export async function missingTiers({
  metadata,
  tiers,
}: {
  readonly metadata: Metadata
  readonly tiers: Tiers
}): Promise<readonly string[]> {
  const known = new Set(tiers.all.map(({ name }) => name))
  return (await metadata.read(() => tiersInUse())).filter((name) => !known.has(name))
}
