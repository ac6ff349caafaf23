/**
 * What lifecycle rules ask for, of one version at one time. Pure: who acts gathers the facts, asks here and obeys.
 * Replication, locks and legal holds are not looked at: who acts leaves such versions alone before it asks.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
 */
import type { LifecycleAction, LifecycleConfiguration, LifecycleFacts, LifecycleRule } from './lifecycle.ts'
import { hasSizes, matches, prefixOf } from './lifecycle-filter.ts'
import type { StorageClass } from './storage-class.ts'
import { coldness, isColder } from './storage-waterfall.ts'

/** A day is 86,400,000 ms, unless a tester shortens it; midnights are its multiples since 1970. */
export interface LifecycleDay {
  readonly dayMs: number
}

export interface LifecycleNow extends LifecycleDay {
  readonly nowMs: number
}

/** An age at which rules act. */
export interface Age {
  /** Stable while the rules are: a number of days, or `date:` and the date. */
  readonly age: string
  /** Whatever counts from this time or an earlier one has the age now. */
  readonly dueUntilMs: number
}

export interface Ages {
  /** Counted from `sinceMs` of current versions, markers among them. */
  readonly current: readonly Age[]
  /** Counted from `sinceMs` of noncurrent versions. */
  readonly noncurrent: readonly Age[]
  /** Counted from when uploads began. */
  readonly uploads: readonly Age[]
}

export interface DueAction {
  readonly action: LifecycleAction
  readonly ruleId: string
}

export interface PlannedAction {
  readonly ruleId: string
  /** A midnight. */
  readonly dueMs: number
  readonly action: LifecycleAction
}

/** What is to happen to the version now, when several actions are due: to remove it, else to expire it, else the coldest class. */
export function dueAction(
  configuration: LifecycleConfiguration,
  facts: LifecycleFacts,
  { nowMs, dayMs }: LifecycleNow,
): DueAction | undefined {
  const due = firstInOrder(plannedActions(configuration, facts, { dayMs }).filter(({ dueMs }) => dueMs <= nowMs))
  return due && { action: due.action, ruleId: due.ruleId }
}

/** What is due now, else what will be first, if nothing else happens to the version. */
export function nextAction(
  configuration: LifecycleConfiguration,
  facts: LifecycleFacts,
  { nowMs, dayMs }: LifecycleNow,
): { readonly ruleId: string; readonly dueMs: number; readonly kind: LifecycleAction['kind'] } | undefined {
  const planned = plannedActions(configuration, facts, { dayMs })
  // Everything that is late is due at once.
  const firstMs = Math.max(nowMs, Math.min(...planned.map(({ dueMs }) => dueMs)))
  const next = firstInOrder(planned.filter(({ dueMs }) => dueMs <= firstMs))
  return next && { ruleId: next.ruleId, dueMs: next.dueMs, kind: next.action.kind }
}

/** When a current object will expire, whatever class it goes to before that. */
export function expiryOf(
  configuration: LifecycleConfiguration,
  facts: LifecycleFacts,
  day: LifecycleDay,
): { readonly ruleId: string; readonly dueMs: number } | undefined {
  const first = firstInOrder(plannedActions(configuration, facts, day).filter(({ action }) => action.kind === 'expire'))
  return first && { ruleId: first.ruleId, dueMs: first.dueMs }
}

/** When an upload that is still open will be aborted. Such rules know of a key only its prefix. */
export function uploadExpiry(
  configuration: LifecycleConfiguration,
  { key, initiatedMs }: { readonly key: string; readonly initiatedMs: number },
  { dayMs }: LifecycleDay,
): { readonly ruleId: string; readonly dueMs: number } | undefined {
  const planned = enabledRules(configuration).flatMap(({ ID: ruleId, AbortIncompleteMultipartUpload: abort, ...rule }) =>
    abort && key.startsWith(prefixOf(rule)) ? [{ ruleId, dueMs: dueAt({ days: abort.DaysAfterInitiation }, initiatedMs, dayMs) }] : [],
  )
  return planned.reduce<(typeof planned)[number] | undefined>(
    (first, one) => (first === undefined || one.dueMs < first.dueMs ? one : first),
    undefined,
  )
}

/**
 * The ages at which something may be due now, so that whoever keeps an index of `sinceMs` reads only between what it has seen and these.
 * NOTE: a version that has an age and is left alone can become due by other things than time: other tags, a marker that stands alone now,
 * a newer noncurrent version, a rule put anew.
 */
export function agesOf(configuration: LifecycleConfiguration, now: LifecycleNow): Ages {
  const rules = enabledRules(configuration)
  return {
    current: agesFrom(rules.flatMap(currentTimes), now),
    noncurrent: agesFrom(rules.flatMap(noncurrentTimes), now),
    uploads: agesFrom(
      rules.flatMap(({ AbortIncompleteMultipartUpload: abort }) => (abort ? [{ days: abort.DaysAfterInitiation }] : [])),
      now,
    ),
  }
}

/** When an action comes: so many days after a version's own time, or on a date. */
type Time = { readonly days: number } | { readonly date: string }

function plannedActions(configuration: LifecycleConfiguration, facts: LifecycleFacts, { dayMs }: LifecycleDay): readonly PlannedAction[] {
  // A replica carries its source's time, from which `sinceMs` of a current version comes too.
  const fromMs = facts.isLatest ? facts.lastModifiedMs : facts.sinceMs
  return enabledRules(configuration)
    .filter((rule) => matches(rule, facts))
    .flatMap((rule) =>
      actionsOf(rule, facts, configuration.transitionDefaultMinimumObjectSize).map(({ action, time }) => ({
        ruleId: rule.ID,
        dueMs: dueAt(time, fromMs, dayMs),
        action,
      })),
    )
}

interface TimedAction {
  readonly action: LifecycleAction
  readonly time: Time
}

type DefaultMinimum = LifecycleConfiguration['transitionDefaultMinimumObjectSize']

function actionsOf(rule: LifecycleRule, facts: LifecycleFacts, minimum: DefaultMinimum): readonly TimedAction[] {
  if (!facts.isLatest) return noncurrentActions(rule, facts, minimum)
  if (facts.isDeleteMarker) return facts.isOnlyVersion ? expirationTimes(rule).map((time) => ({ action: { kind: 'remove' }, time })) : []
  const { Expiration: expiration, Transition: transitions = [] } = rule
  const expirations = expiration?.ExpiredObjectDeleteMarker === undefined ? expirationTimes(rule) : []
  return [
    ...expirations.map((time): TimedAction => ({ action: { kind: 'expire' }, time })),
    ...transitions
      .filter(({ StorageClass: to }) => moves(rule, facts, { to, minimum }))
      .map(
        ({ StorageClass: storageClass, ...time }): TimedAction => ({ action: { kind: 'transition', storageClass }, time: timeOf(time) }),
      ),
  ]
}

function noncurrentActions(rule: LifecycleRule, facts: LifecycleFacts, minimum: DefaultMinimum): readonly TimedAction[] {
  const { NoncurrentVersionExpiration: expiration, NoncurrentVersionTransition: transitions = [] } = rule
  // So many newer ones are kept.
  const isBeyond = ({ NewerNoncurrentVersions: kept = 0 }) => facts.newerNoncurrent >= kept
  return [
    ...(expiration && isBeyond(expiration) ? [{ action: { kind: 'remove' }, time: { days: expiration.NoncurrentDays } } as const] : []),
    ...transitions
      .filter((transition) => isBeyond(transition) && moves(rule, facts, { to: transition.StorageClass, minimum }))
      .map(
        ({ StorageClass: storageClass, NoncurrentDays: days }): TimedAction => ({
          action: { kind: 'transition', storageClass },
          time: { days },
        }),
      ),
  ]
}

/** S3: the default minimum size of what moves to another class. */
const defaultMinimumBytes = 128 * 1024

function moves(
  rule: LifecycleRule,
  { isDeleteMarker, storageClass: from, size }: LifecycleFacts,
  { to, minimum }: { readonly to: StorageClass; readonly minimum: DefaultMinimum },
): boolean {
  if (isDeleteMarker || !isColder({ from, to })) return false
  // A rule that names sizes has said what it wants.
  if (size >= defaultMinimumBytes || hasSizes(rule.Filter)) return true
  return minimum === 'varies_by_storage_class' && (to === 'GLACIER' || to === 'DEEP_ARCHIVE')
}

/** The one that goes before the others; of equals the earlier, then that of the rule listed first. */
function firstInOrder(planned: readonly PlannedAction[]): PlannedAction | undefined {
  return [...planned].sort((a, b) => compareActions(a.action, b.action) || a.dueMs - b.dueMs)[0]
}

const kindsInOrder: readonly LifecycleAction['kind'][] = ['remove', 'expire', 'transition']

/** Below 0: `a` goes before `b`. */
function compareActions(a: LifecycleAction, b: LifecycleAction): number {
  if (a.kind === 'transition' && b.kind === 'transition') return coldness(b.storageClass) - coldness(a.storageClass)
  return kindsInOrder.indexOf(a.kind) - kindsInOrder.indexOf(b.kind)
}

function currentTimes(rule: LifecycleRule): readonly Time[] {
  return [...expirationTimes(rule), ...(rule.Transition ?? []).map(timeOf)]
}

function noncurrentTimes(rule: LifecycleRule): readonly Time[] {
  const actions = [rule.NoncurrentVersionExpiration ?? [], rule.NoncurrentVersionTransition ?? []].flat()
  return actions.map(({ NoncurrentDays: days }) => ({ days }))
}

function expirationTimes({ Expiration: expiration }: LifecycleRule): readonly Time[] {
  if (expiration === undefined) return []
  const { ExpiredObjectDeleteMarker: withMarkers, ...time } = expiration
  if (withMarkers === undefined) return [timeOf(time)]
  // A marker goes as soon as it stands alone, at the next midnight.
  return withMarkers ? [{ days: 0 }] : []
}

/** A stored action has one of the two. */
function timeOf({ Days: days = 0, Date: date }: { readonly Days?: number; readonly Date?: string }): Time {
  return date === undefined ? { days } : { date }
}

/** Days are rounded up to the next midnight. A date is for whatever is older, and goes on for what comes later, from its first midnight. */
function dueAt(time: Time, fromMs: number, dayMs: number): number {
  const midnightMs = Math.ceil(fromMs / dayMs) * dayMs
  return 'days' in time ? midnightMs + time.days * dayMs : Math.max(Date.parse(time.date), midnightMs)
}

function agesFrom(times: readonly Time[], { nowMs, dayMs }: LifecycleNow): readonly Age[] {
  const midnightMs = Math.floor(nowMs / dayMs) * dayMs
  const ages = new Map<string, Age>()
  for (const time of times) {
    if ('days' in time) {
      ages.set(`${time.days}`, { age: `${time.days}`, dueUntilMs: midnightMs - time.days * dayMs })
    } else if (Date.parse(time.date) <= nowMs) {
      const age = `date:${time.date.slice(0, isoDateLength)}`
      ages.set(age, { age, dueUntilMs: midnightMs })
    }
  }
  return [...ages.values()]
}

const isoDateLength = 'YYYY-MM-DD'.length

function enabledRules({ Rule: rules }: LifecycleConfiguration): readonly LifecycleRule[] {
  return rules.filter((rule) => rule.Status === 'Enabled')
}
