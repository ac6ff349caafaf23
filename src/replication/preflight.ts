/** Everything that would stand in the way of a replication configuration, all at once and before anything is written: of the PUT, and of the deliveries. */
import { randomUUID } from 'node:crypto'
import type { Control } from '../control/control.ts'
import type { BucketFacts } from '../control/facts.ts'
import type { Clock } from '../lib/clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import { bucketByName } from '../metadata/tables/buckets.ts'
import { parseRoleArn } from '../model/arn.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { readBucketPolicy } from '../model/policy-bucket.ts'
import { PolicyError } from '../model/policy-error.ts'
import { isV2, type ReplicationConfiguration, type ReplicationRule } from '../model/replication-configuration.ts'
import { checkReplicationConfiguration } from '../model/replication-configuration-check.ts'
import { checkAccount, checkDestination, checkReplicationRole, checkSource, destinationBuckets } from '../model/replication-facts.ts'
import type { ReplicationConfigurationInput } from '../model/replication-input.ts'
import { replicationBucketPolicy, replicationRolePolicy, replicationTrust } from '../model/replication-mend.ts'
import { sourcePolicyRefusal } from '../model/replication-permission.ts'
import { type FailureReason, failureText } from '../model/replication-reasons.ts'
import { type ParsedRole, parseRole } from '../model/role.ts'
import type { Peers } from '../peers/peers.ts'
import { type ExistingVersions, existingVersions } from './preflight-existing.ts'
import { askRights, type RightsQuestion, refusalsOf } from './preflight-rights.ts'

export interface PreflightParts {
  readonly metadata: Metadata
  readonly control: Pick<Control, 'nameOf' | 'bucketFacts' | 'heldRole' | 'accountByCanonicalId'>
  readonly peers: Peers
  readonly clock: Clock
}

/** What would mend a problem, for a button: the documents are what to put. */
export type Mend =
  | { readonly action: 'enableVersioning'; readonly region: string; readonly bucket: string }
  | { readonly action: 'createBucket'; readonly bucket: string }
  | { readonly action: 'createRole'; readonly role: string; readonly trustPolicy: object; readonly policy: object }
  | { readonly action: 'setTrustPolicy'; readonly role: string; readonly document: object }
  | { readonly action: 'putRolePolicy'; readonly role: string; readonly document: object }
  | { readonly action: 'putBucketPolicy'; readonly region: string; readonly bucket: string; readonly document: object }

export interface Problem {
  readonly side: 'source' | 'destination' | 'role'
  readonly code: string
  readonly message: string
  readonly ruleId?: string
  readonly mend?: Mend
}

export interface Preflight {
  readonly problems: readonly Problem[]
  /** Null while the configuration cannot be read. */
  readonly existing: ExistingVersions | null
}

/** Of a configuration this many destinations are asked about. */
const destinationsMax = 100
const sampleName = 'farshore-preflight'

/** @throws S3Error NoSuchBucket */
export async function preflight(
  parts: PreflightParts,
  of: { readonly bucket: string; readonly configuration: ReplicationConfigurationInput },
): Promise<Preflight> {
  const { metadata } = parts
  const bucket = await metadata.read(() => bucketByName(of.bucket))
  if (bucket === undefined || bucket.state !== 'active') throw new S3Error('NoSuchBucket', { details: { BucketName: of.bucket } })
  const problems: Problem[] = []
  const { name, region, versioning } = bucket
  const source = { bucket: name, region, versioning, objectLock: bucket.settings.objectLock !== undefined }
  const enable: Mend = { action: 'enableVersioning', region, bucket: name }
  collect(problems, { side: 'source', ...(versioning === 'Enabled' ? {} : { mend: enable }) }, () => checkSource(source))
  const configuration = collect(problems, { side: 'source' }, () =>
    checkReplicationConfiguration(of.configuration, { makeId: () => randomUUID() }),
  )
  if (configuration === undefined) return { problems, existing: null }

  const known = await factsOf(parts, configuration, problems)
  for (const rule of configuration.Rule) {
    const to = destinationBuckets({ ...configuration, Rule: [rule] })[0] ?? ''
    if (!known.has(to)) continue
    const facts = known.get(to)
    const about = { side: 'destination', ruleId: rule.ID, ...mendOf(to, facts) } as const
    const isFine = collect(problems, about, () => {
      checkDestination(source, { bucket: to, facts })
      return true
    })
    if (isFine) collect(problems, { side: 'destination', ruleId: rule.ID }, () => checkAccount(rule.Destination, facts?.ownerAccountId))
  }
  const role = await roleOf(parts, { configuration, bucket, problems })
  if (role !== undefined) {
    for (const rule of configuration.Rule.filter(({ Status }) => Status === 'Enabled')) {
      await judgeRule(parts, { rule, role, bucket, configuration, known, problems })
    }
  }
  sourcePolicy(parts, { configuration, bucket, problems, roleId: role?.role.id })
  return { problems: distinct(problems), existing: await existingVersions(metadata, { bucketId: bucket.id, configuration }) }
}

/** By name. One that is not in the map could not be asked about; one that is undefined does not exist. */
async function factsOf(
  { control }: PreflightParts,
  configuration: ReplicationConfiguration,
  problems: Problem[],
): Promise<ReadonlyMap<string, BucketFacts | undefined>> {
  const found = new Map<string, BucketFacts | undefined>()
  for (const name of destinationBuckets(configuration).slice(0, destinationsMax)) {
    const named = await control.nameOf(name)
    try {
      found.set(name, named && (await control.bucketFacts(named)))
    } catch (error) {
      problems.push({ side: 'destination', ...told(error) })
    }
  }
  return found
}

function mendOf(bucket: string, facts: BucketFacts | undefined): { readonly mend?: Mend } {
  if (facts === undefined) return { mend: { action: 'createBucket', bucket } }
  return facts.versioning === 'Enabled' ? {} : { mend: { action: 'enableVersioning', region: facts.region, bucket } }
}

interface Judged {
  readonly configuration: ReplicationConfiguration
  readonly bucket: Bucket
  readonly problems: Problem[]
}

/** The role, when it is there and S3 may be it. */
async function roleOf({ control }: PreflightParts, { configuration, bucket, problems }: Judged): Promise<ParsedRole | undefined> {
  const arn = configuration.Role
  const owner = await control.accountByCanonicalId(bucket.ownerId)
  if (parseRoleArn(arn)?.accountId !== owner?.accountId) {
    problems.push({ side: 'role', code: 'AccessDenied', message: `The role ${arn} is not of the account of the bucket.` })
    return undefined
  }
  const held = await control.heldRole(arn)
  const policy = replicationRolePolicy(bucket.name, destinationBuckets(configuration))
  const mend: Mend =
    held === undefined
      ? { action: 'createRole', role: arn, trustPolicy: replicationTrust(), policy }
      : { action: 'setTrustPolicy', role: arn, document: replicationTrust() }
  return collect(problems, { side: 'role', mend }, () => {
    const role = held && parseRole(held)
    checkReplicationRole(arn, { role, source: { bucket: bucket.name } })
    return role
  })
}

async function judgeRule(
  { peers, clock }: PreflightParts,
  of: Judged & { readonly rule: ReplicationRule; readonly role: ParsedRole; readonly known: ReadonlyMap<string, BucketFacts | undefined> },
): Promise<void> {
  const { rule, role, bucket, configuration, known, problems } = of
  const [name = ''] = destinationBuckets({ ...configuration, Rule: [rule] })
  const facts = known.get(name)
  if (facts === undefined || facts.region === peers.self || facts.versioning !== 'Enabled') return
  const { Account, AccessControlTranslation } = rule.Destination
  const link = {
    source: { id: bucket.id, name: bucket.name, ...(bucket.settings.objectLock !== undefined && { hasLock: true as const }) },
    destination: { id: facts.bucketId, name },
    ruleId: rule.ID,
    role: configuration.Role,
    ...(Account !== undefined && { account: Account }),
    owner: AccessControlTranslation === undefined ? ('source' as const) : ('destination' as const),
  }
  const asked = { link, key: sampleKey(rule), wants: wantsOf(rule, bucket) }
  try {
    const reasons = await askRights(peers, facts.region, asked)
    const source = { bucket: bucket.name, key: asked.key, ownerId: bucket.ownerId, isSseKms: false }
    const alone = { bucket: name, isForeign: false, policy: undefined, isShut: false }
    // What the role's own policies allow, the destination bucket's policy refuses.
    const own = new Set(refusalsOf({ role, source, destination: alone, wants: asked.wants, nowMs: clock.nowMs() }))
    const isForeign = facts.ownerAccountId !== role.role.accountId
    for (const reason of reasons) {
      const mend = own.has(reason) ? roleMend({ bucket, configuration }) : bucketMend({ reason, isForeign, name, facts, configuration })
      problems.push({ code: reason, message: failureText(reason), ruleId: rule.ID, ...mend })
    }
  } catch (error) {
    problems.push({ side: 'destination', ruleId: rule.ID, ...told(error) })
  }
}

function roleMend({ bucket, configuration }: Pick<Judged, 'bucket' | 'configuration'>): Pick<Problem, 'side'> & { readonly mend: Mend } {
  const document = replicationRolePolicy(bucket.name, destinationBuckets(configuration))
  return { side: 'role', mend: { action: 'putRolePolicy', role: configuration.Role, document } }
}

/** A policy that denies by name is for its writer to change. */
function bucketMend(of: {
  readonly reason: FailureReason
  readonly isForeign: boolean
  readonly name: string
  readonly facts: BucketFacts
  readonly configuration: ReplicationConfiguration
}): Pick<Problem, 'side'> & { readonly mend?: Mend } {
  const { reason, isForeign, name, facts, configuration } = of
  if (!isForeign || !/NotPermitted$/.test(reason)) return { side: sideOf(reason) }
  const document = replicationBucketPolicy(name, configuration.Role)
  return { side: 'destination', mend: { action: 'putBucketPolicy', region: facts.region, bucket: name, document } }
}

/** What the source bucket's own policy denies, which its region alone knows. */
function sourcePolicy(
  { clock }: PreflightParts,
  { configuration, bucket, problems, roleId }: Judged & { readonly roleId: string | undefined },
): void {
  const arn = configuration.Role
  const named = parseRoleArn(arn)
  const policy = collect(problems, { side: 'source' }, () => readBucketPolicy(bucket))
  if (policy === undefined || named === undefined || roleId === undefined) return
  for (const rule of configuration.Rule) {
    const source = { bucket: bucket.name, key: sampleKey(rule), ownerId: bucket.ownerId }
    const role = { ...named, arn, id: roleId }
    // A lock on everything, where there may be one.
    const lock = bucket.settings.objectLock === undefined ? {} : { retention: true, legalHold: true }
    const reason = sourcePolicyRefusal({ policy, role, source, isContent: true, lock, nowMs: clock.nowMs() })
    if (reason === undefined) continue
    const message = `The policy of the source bucket denies it: ${failureText(reason)}`
    problems.push({ side: 'source', code: reason, message, ruleId: rule.ID })
  }
}

function wantsOf(rule: ReplicationRule, { settings }: Bucket): RightsQuestion['wants'] {
  const takesMarkers = !isV2(rule) || rule.DeleteMarkerReplication.Status === 'Enabled'
  return [
    'object',
    'changedTags',
    ...(settings.objectLock === undefined ? [] : (['retention', 'legalHold'] as const)),
    ...(takesMarkers ? (['delete'] as const) : []),
    ...(rule.Destination.AccessControlTranslation === undefined ? [] : (['ownerOverride'] as const)),
  ]
}

/** A key that the rule is for. */
function sampleKey(rule: ReplicationRule): string {
  const prefix = isV2(rule) ? (rule.Filter.Prefix ?? rule.Filter.And?.Prefix ?? '') : rule.Prefix
  return `${prefix}${sampleName}`.slice(0, 1024)
}

function sideOf(reason: FailureReason): Problem['side'] {
  if (reason.startsWith('Dst')) return 'destination'
  return reason.startsWith('Src') ? 'source' : 'role'
}

/** Runs a check, and keeps what it says. */
function collect<T>(problems: Problem[], about: Omit<Problem, 'code' | 'message'>, check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    problems.push({ ...about, ...told(error) })
    return undefined
  }
}

/** @throws whatever is no refusal */
function told(error: unknown): Pick<Problem, 'code' | 'message'> {
  if (error instanceof S3Error) return { code: error.code, message: error.message }
  if (error instanceof PolicyError) return { code: 'MalformedPolicy', message: error.message }
  throw error
}

/** What several rules meet alike is said once for each rule, what no rule has to do with once. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>()
  return problems.filter((problem) => {
    const text = JSON.stringify(problem)
    return !seen.has(text) && seen.add(text)
  })
}
