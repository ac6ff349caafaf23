/** Lifecycle configurations by chance: more of what clashes than anybody would put. */
import type {
  LifecycleConfiguration,
  LifecycleFilter,
  LifecycleRule,
  LifecycleTransition,
  NoncurrentVersionTransition,
} from '../../../src/model/lifecycle.ts'
import type { StorageClass } from '../../../src/model/storage-class.ts'
import type { Random } from '../../limits/random.ts'

export const keys = ['logs/a', 'logs/b', 'old/logs/a', 'photo', ''] as const
export const sizes = [0, 1, 100, 131_071, 131_072, 500_000] as const
export const someTags = [
  { Key: 'a', Value: '1' },
  { Key: 'a', Value: '2' },
  { Key: 'b', Value: '1' },
] as const
const targets: readonly StorageClass[] = ['STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE']
const realDayMs = 86_400_000

/** The days since 1970 between which dates are. */
export interface Days {
  readonly firstDay: number
  readonly lastDay: number
}

export function randomConfiguration(random: Random, days: Days): LifecycleConfiguration {
  const rules = Array.from({ length: 1 + random.below(4) }, (_, index) => randomRule(random, `rule-${index}`, days))
  return {
    Rule: rules,
    transitionDefaultMinimumObjectSize: random.oneIn(2) ? 'all_storage_classes_128K' : 'varies_by_storage_class',
  }
}

function randomRule(random: Random, ID: string, { firstDay, lastDay }: Days): LifecycleRule {
  const time = () =>
    random.oneIn(4)
      ? { Date: new Date((firstDay + random.below(lastDay - firstDay)) * realDayMs).toISOString() }
      : { Days: random.below(12) }
  const newer = () => (random.oneIn(2) ? { NewerNoncurrentVersions: 1 + random.below(3) } : {})
  const moves = <T>(make: () => T) => Array.from({ length: random.below(3) }, make)
  const transitions = moves((): LifecycleTransition => ({ ...time(), StorageClass: random.pick(targets) }))
  const noncurrent = moves(
    (): NoncurrentVersionTransition => ({ NoncurrentDays: random.below(12), ...newer(), StorageClass: random.pick(targets) }),
  )
  const expiration = random.oneIn(4) ? { ExpiredObjectDeleteMarker: !random.oneIn(4) } : time()
  return {
    ID,
    Status: random.oneIn(6) ? 'Disabled' : 'Enabled',
    ...(random.oneIn(4) ? { Prefix: randomPrefix(random) } : { Filter: randomFilter(random) }),
    ...(random.oneIn(2) && { Expiration: expiration }),
    ...(transitions.length > 0 && { Transition: transitions }),
    ...(random.oneIn(2) && { NoncurrentVersionExpiration: { NoncurrentDays: 1 + random.below(12), ...newer() } }),
    ...(noncurrent.length > 0 && { NoncurrentVersionTransition: noncurrent }),
    ...(random.oneIn(3) && { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 + random.below(12) } }),
  }
}

const randomPrefix = (random: Random) => random.pick(['', '', 'logs/', 'logs/a', 'p'])

function randomFilter(random: Random): LifecycleFilter {
  const above = { ObjectSizeGreaterThan: random.pick([0, 99, 131_071]) }
  const below = { ObjectSizeLessThan: random.pick([1, 101, 131_072, 1_000_000]) }
  switch (random.below(6)) {
    case 0:
      return { Prefix: randomPrefix(random) }
    case 1:
      return { Tag: random.pick(someTags) }
    case 2:
      return random.oneIn(2) ? above : below
    case 3:
      return {
        And: {
          Prefix: randomPrefix(random),
          ...(random.oneIn(2) && { Tag: [random.pick(someTags)] }),
          ...(random.oneIn(2) && above),
          ...(random.oneIn(2) && below),
        },
      }
    default:
      return {}
  }
}
