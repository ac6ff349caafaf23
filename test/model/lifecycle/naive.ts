/**
 * Lifecycle rules in the slowest way that comes to mind, to hold the rules of `src/model` against: it knows no due times, but walks a day at a time
 * and asks of each midnight whether it has come. Nothing here is taken from there but the types.
 */
import type {
  LifecycleAction,
  LifecycleConfiguration,
  LifecycleFacts,
  LifecycleFilter,
  LifecycleRule,
} from '../../../src/model/lifecycle.ts'
import type { StorageClass } from '../../../src/model/storage-class.ts'

export interface NaiveDue {
  readonly ruleId: string
  readonly action: LifecycleAction
}

interface Now {
  readonly nowMs: number
  readonly dayMs: number
}

/** The table of AWS's page, written out: from each class to which others. */
const ways: Partial<Record<StorageClass, readonly StorageClass[]>> = {
  STANDARD: ['STANDARD_IA', 'INTELLIGENT_TIERING', 'ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'],
  REDUCED_REDUNDANCY: ['STANDARD_IA', 'INTELLIGENT_TIERING', 'ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'],
  STANDARD_IA: ['INTELLIGENT_TIERING', 'ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'],
  INTELLIGENT_TIERING: ['ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'],
  ONEZONE_IA: ['GLACIER', 'DEEP_ARCHIVE'],
  GLACIER_IR: ['GLACIER', 'DEEP_ARCHIVE'],
  GLACIER: ['DEEP_ARCHIVE'],
  DEEP_ARCHIVE: [],
}

const coldestFirst: readonly StorageClass[] = ['DEEP_ARCHIVE', 'GLACIER', 'GLACIER_IR', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'STANDARD_IA']

/** Every action that some rule wants done now, in the order in which it became due. */
export function naiveDue(configuration: LifecycleConfiguration, facts: LifecycleFacts, now: Now): readonly NaiveDue[] {
  const due: NaiveDue[] = []
  for (const midnight of midnights(configuration, facts.isLatest ? facts.lastModifiedMs : facts.sinceMs, now)) {
    for (const rule of configuration.Rule) {
      if (rule.Status === 'Disabled' || !isFor(rule, facts)) continue
      for (const action of wanted(rule, facts, midnight, configuration.transitionDefaultMinimumObjectSize)) {
        if (!due.some((one) => one.ruleId === rule.ID && JSON.stringify(one.action) === JSON.stringify(action))) {
          due.push({ ruleId: rule.ID, action })
        }
      }
    }
  }
  return due
}

/** Of all that is due, what goes first: removal, then expiry, then the coldest class; of equals what was due first. */
export function naivePick(due: readonly NaiveDue[]): NaiveDue | undefined {
  const removal = due.find((one) => one.action.kind === 'remove')
  if (removal) return removal
  const expiry = due.find((one) => one.action.kind === 'expire')
  if (expiry) return expiry
  for (const storageClass of coldestFirst) {
    const move = due.find((one) => one.action.kind === 'transition' && one.action.storageClass === storageClass)
    if (move) return move
  }
  return undefined
}

interface Midnight {
  readonly ms: number
  /** How many whole days the version is old by then, the day on which it came not counted. */
  readonly days: number
}

/** The midnights that have come since the version did, one at its very time too, and the dates of rules between them. */
function midnights(configuration: LifecycleConfiguration, fromMs: number, { nowMs, dayMs }: Now): readonly Midnight[] {
  const all: Midnight[] = []
  let ms = 0
  while (ms < fromMs) ms += dayMs
  const first = ms
  for (let days = 0; ms <= nowMs; days++, ms += dayMs) all.push({ ms, days })
  for (const date of datesOf(configuration)) {
    if (date < first || date > nowMs) continue
    let days = 0
    while (first + (days + 1) * dayMs <= date) days++
    all.push({ ms: date, days })
  }
  return all.sort((x, y) => x.ms - y.ms)
}

function datesOf({ Rule: rules }: LifecycleConfiguration): readonly number[] {
  const dates = rules.flatMap((rule) => [rule.Expiration?.Date, ...(rule.Transition ?? []).map((move) => move.Date)])
  return [...new Set(dates.flatMap((date) => (date === undefined ? [] : [new Date(date).getTime()])))]
}

type Minimum = LifecycleConfiguration['transitionDefaultMinimumObjectSize']

function wanted(rule: LifecycleRule, facts: LifecycleFacts, midnight: Midnight, minimum: Minimum): readonly LifecycleAction[] {
  if (!facts.isLatest) return wantedOfNoncurrent(rule, facts, midnight, minimum)
  const isOver = rule.Expiration !== undefined && isTime(rule.Expiration, midnight)
  if (facts.isDeleteMarker) {
    return facts.isOnlyVersion && (rule.Expiration?.ExpiredObjectDeleteMarker === true || isOver) ? [{ kind: 'remove' }] : []
  }
  const actions: LifecycleAction[] = isOver ? [{ kind: 'expire' }] : []
  for (const { StorageClass, ...time } of rule.Transition ?? []) {
    if (isTime(time, midnight) && mayGo(rule, facts, StorageClass, minimum))
      actions.push({ kind: 'transition', storageClass: StorageClass })
  }
  return actions
}

function isTime(time: { readonly Days?: number; readonly Date?: string }, midnight: Midnight): boolean {
  if (time.Days !== undefined) return midnight.days >= time.Days
  return time.Date !== undefined && midnight.ms >= new Date(time.Date).getTime()
}

function wantedOfNoncurrent(rule: LifecycleRule, facts: LifecycleFacts, midnight: Midnight, minimum: Minimum): readonly LifecycleAction[] {
  const actions: LifecycleAction[] = []
  const isKept = (kept: number | undefined) => kept !== undefined && facts.newerNoncurrent < kept
  const removal = rule.NoncurrentVersionExpiration
  if (removal && midnight.days >= removal.NoncurrentDays && !isKept(removal.NewerNoncurrentVersions)) actions.push({ kind: 'remove' })
  for (const move of rule.NoncurrentVersionTransition ?? []) {
    if (midnight.days < move.NoncurrentDays || isKept(move.NewerNoncurrentVersions)) continue
    if (mayGo(rule, facts, move.StorageClass, minimum)) actions.push({ kind: 'transition', storageClass: move.StorageClass })
  }
  return actions
}

function mayGo(rule: LifecycleRule, facts: LifecycleFacts, to: StorageClass, minimum: string): boolean {
  if (facts.isDeleteMarker || ways[facts.storageClass]?.includes(to) !== true) return false
  if (sizesOf(rule.Filter).length > 0 || facts.size >= 131_072) return true
  return minimum === 'varies_by_storage_class' && ['GLACIER', 'DEEP_ARCHIVE'].includes(to)
}

function isFor(rule: LifecycleRule, facts: LifecycleFacts): boolean {
  const { Filter: filter } = rule
  const prefixes = [rule.Prefix, filter?.Prefix, filter?.And?.Prefix].filter((prefix) => prefix !== undefined)
  const tags = [...(filter?.Tag ? [filter.Tag] : []), ...(filter?.And?.Tag ?? [])]
  const sizes = sizesOf(filter)
  if (facts.isDeleteMarker && facts.isLatest && sizes.length > 0) return false
  return (
    prefixes.every((prefix) => facts.key.indexOf(prefix) === 0) &&
    tags.every((tag) => facts.tags.filter((one) => one.Key === tag.Key && one.Value === tag.Value).length > 0) &&
    sizes.every((fits) => fits(facts.size))
  )
}

function sizesOf(filter: LifecycleFilter | undefined): readonly ((size: number) => boolean)[] {
  return [filter, filter?.And].flatMap((from) => {
    const { ObjectSizeGreaterThan: above, ObjectSizeLessThan: below } = from ?? {}
    return [
      ...(above === undefined ? [] : [(size: number) => size > above]),
      ...(below === undefined ? [] : [(size: number) => size < below]),
    ]
  })
}
