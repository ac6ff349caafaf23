/** PutBucketLifecycleConfiguration's refusals about moves to other storage classes, and about what a rule removes before it moves it. */
import { S3Error } from './errors.ts'
import type { LifecycleRule, LifecycleTransition, NoncurrentVersionTransition } from './lifecycle.ts'
import { type NoncurrentTransitionInput, readInt, readMidnight, type TransitionInput } from './lifecycle-input.ts'
import type { StorageClass } from './storage-class.ts'
import { coldness } from './storage-waterfall.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_Transition.html */
const targets = ['STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'] as const

/** S3: days that an object must be old to go there. */
const oldEnoughDays: Partial<Record<StorageClass, number>> = { STANDARD_IA: 30, ONEZONE_IA: 30 }

/** S3: days that an object stays there before a rule moves it to an archive. */
const stayDays: Partial<Record<StorageClass, number>> = { STANDARD_IA: 30, ONEZONE_IA: 30, GLACIER: 90 }
const archives: readonly StorageClass[] = ['GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE']

/** @throws S3Error MalformedXML | InvalidArgument | InvalidRequest */
export function checkTransitions(inputs: readonly TransitionInput[], selection: string): readonly LifecycleTransition[] {
  const transitions = inputs.map(checkTransition)
  checkClasses('Transition', transitions, selection)
  if (transitions.some((one) => one.Days !== undefined) && transitions.some((one) => one.Date !== undefined)) {
    throw new S3Error('InvalidRequest', {
      message: `Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for filter '${selection}'`,
    })
  }
  checkOrder('Transition', transitions.map(timed), selection)
  return transitions
}

/** @throws S3Error MalformedXML | InvalidArgument | InvalidRequest */
export function checkNoncurrentTransitions(
  inputs: readonly NoncurrentTransitionInput[],
  { selection, readNewer }: { readonly selection: string; readonly readNewer: (text: string) => number },
): readonly NoncurrentVersionTransition[] {
  const transitions = inputs.map((input) => {
    const StorageClass = checkTarget(input.StorageClass)
    const NoncurrentDays = checkDays(
      { action: 'NoncurrentVersionTransition', name: 'NoncurrentDays', text: input.NoncurrentDays },
      StorageClass,
    )
    const { NewerNoncurrentVersions: newer } = input
    return { NoncurrentDays, ...(newer !== undefined && { NewerNoncurrentVersions: readNewer(newer) }), StorageClass }
  })
  checkClasses('NoncurrentVersionTransition', transitions, selection)
  checkOrder('NoncurrentVersionTransition', transitions.map(timedNoncurrent), selection)
  return transitions
}

/** What is moved must still be there: a rule's expirations come after its transitions. @throws S3Error InvalidArgument | InvalidRequest */
export function checkExpirationsLast(rule: LifecycleRule, selection: string): void {
  const { Expiration: expiration, Transition: transitions = [], NoncurrentVersionExpiration: noncurrent } = rule
  const { Days: days, Date: date } = expiration ?? {}
  const isMixed = transitions.some(
    (one) => (days !== undefined && one.Date !== undefined) || (date !== undefined && one.Days !== undefined),
  )
  if (isMixed) {
    throw new S3Error('InvalidRequest', {
      message: `Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter '${selection}'`,
    })
  }
  const late = (name: string, kind: string) =>
    invalidArgument(
      `'${name}' in the ${kind}Expiration action for filter '${selection}' must be greater than '${name}' in the ${kind}Transition action`,
    )
  if (days !== undefined && transitions.some((one) => (one.Days ?? 0) >= days)) throw late('Days', '')
  // Kept in one form, dates compare as texts.
  if (date !== undefined && transitions.some((one) => (one.Date ?? '') >= date)) throw late('Date', '')
  if (noncurrent && rule.NoncurrentVersionTransition?.some((one) => one.NoncurrentDays >= noncurrent.NoncurrentDays)) {
    throw late('NoncurrentDays', 'NoncurrentVersion')
  }
}

function checkTransition({ StorageClass: name, Days: days, Date: date }: TransitionInput): LifecycleTransition {
  const StorageClass = checkTarget(name)
  if (days !== undefined && date !== undefined) throw new S3Error('MalformedXML')
  if (date !== undefined) return { Date: readMidnight(date), StorageClass }
  if (days === undefined) throw invalidArgument("'Transition' action must specify either 'Days' or 'Date'")
  return { Days: checkDays({ action: 'Transition', name: 'Days', text: days }, StorageClass), StorageClass }
}

function checkTarget(name: string | undefined): StorageClass {
  const known = targets.find((target) => target === name?.trim())
  if (known === undefined) throw new S3Error('MalformedXML')
  return known
}

function checkDays(
  { action, name, text }: { readonly action: string; readonly name: string; readonly text: string | undefined },
  storageClass: StorageClass,
): number {
  const days = readInt(text)
  if (days < 0) throw invalidArgument(`'${name}' in ${action} action must be nonnegative`)
  const least = oldEnoughDays[storageClass] ?? 0
  if (days < least) {
    throw invalidArgument(`'${name}' in ${action} action must be greater than or equal to ${least} for storageClass '${storageClass}'`)
  }
  return days
}

function checkClasses(action: string, transitions: readonly { readonly StorageClass: StorageClass }[], selection: string): void {
  if (new Set(transitions.map((one) => one.StorageClass)).size === transitions.length) return
  throw new S3Error('InvalidRequest', {
    message: `'StorageClass' must be different for '${action}' actions in same 'Rule' with filter '${selection}'`,
  })
}

/** A transition with its time as a number of days. */
interface Timed {
  readonly name: string
  readonly days: number
  readonly storageClass: StorageClass
}

const dayMs = 86_400_000

function timed({ Days: days = 0, Date: date, StorageClass: storageClass }: LifecycleTransition): Timed {
  return date === undefined ? { name: 'Days', days, storageClass } : { name: 'Date', days: Date.parse(date) / dayMs, storageClass }
}

function timedNoncurrent({ NoncurrentDays: days, StorageClass: storageClass }: NoncurrentVersionTransition): Timed {
  return { name: 'NoncurrentDays', days, storageClass }
}

/** The colder, the later, and not before the stay in the class above it is over. */
function checkOrder(action: string, transitions: readonly Timed[], selection: string): void {
  const warmestFirst = [...transitions].sort((a, b) => coldness(a.storageClass) - coldness(b.storageClass))
  for (const [index, colder] of warmestFirst.entries()) {
    const warmer = warmestFirst[index - 1]
    if (warmer === undefined) continue
    const stay = archives.includes(colder.storageClass) ? (stayDays[warmer.storageClass] ?? 0) : 0
    if (colder.days >= warmer.days + Math.max(stay, 1)) continue
    const needed = stay === 0 ? 'greater than' : `${stay} days more than`
    throw invalidArgument(
      `'${colder.name}' in the '${action}' action for StorageClass '${colder.storageClass}' for filter '${selection}' must be ${needed} 'filter '${selection}'' in the '${action}' action for StorageClass '${warmer.storageClass}'`,
    )
  }
}

function invalidArgument(message: string): S3Error {
  return new S3Error('InvalidArgument', { message })
}
