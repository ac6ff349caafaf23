/** Which tiers there are, and where each storage class belongs. */
import { join } from 'node:path'
import type { StorageClass } from '../model/storage-class.ts'

/** As the configuration gives them. */
export interface TierSettings {
  readonly name: string
  readonly classes: readonly StorageClass[]
  readonly folder?: string | undefined
  readonly bucket?: BucketSettings | undefined
}

export interface BucketSettings {
  readonly endpoint: string
  readonly region: string
  readonly name: string
  readonly prefix: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Where the classes of an archive go that no tier names: a folder of the region's own disk, which is there in every region. */
export const builtInTier = 'cold'
const archiveClasses: readonly StorageClass[] = ['GLACIER', 'DEEP_ARCHIVE', 'GLACIER_IR']

/** Those that the operator named, and the built-in one. */
export function allTiers({
  dataDirectory,
  tiers,
}: {
  readonly dataDirectory: string
  readonly tiers: readonly TierSettings[]
}): TierSettings[] {
  const named = new Set(tiers.flatMap(({ classes }) => classes))
  const classes = archiveClasses.filter((storageClass) => !named.has(storageClass))
  return [...tiers, { name: builtInTier, classes, folder: join(dataDirectory, builtInTier) }]
}
