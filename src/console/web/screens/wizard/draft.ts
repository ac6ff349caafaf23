/** What is being set up, and what is still wrong with it: pure, so that the screen only shows it. */
import { policyForReplication, type Rule, type RuleTag, trustForReplication } from '../../api/replication.ts'

export interface BucketChoice {
  readonly bucket: string
  readonly region: string
}

export interface Draft {
  readonly source: BucketChoice | undefined
  readonly prefix: string
  readonly tags: readonly RuleTag[]
  readonly destination: BucketChoice | undefined
  readonly role: RoleChoice
  readonly storageClass: string
  readonly deleteMarkers: boolean
  readonly priority: number
  /** Of the destination's account, twelve digits; '': replicas stay the source owner's. */
  readonly ownerOverride: string
}

export type RoleChoice =
  | { readonly kind: 'pick'; readonly arn: string }
  /** `name` and `policy` undefined: as the rule needs them, until somebody edits them. */
  | { readonly kind: 'create'; readonly name: string | undefined; readonly trust: string; readonly policy: string | undefined }

export const emptyDraft: Draft = {
  source: undefined,
  prefix: '',
  tags: [],
  destination: undefined,
  role: { kind: 'create', name: undefined, trust: trustForReplication, policy: undefined },
  storageClass: '',
  deleteMarkers: true,
  priority: 1,
  ownerOverride: '',
}

const roleNameMax = 64 // IAM

/** The name that a new role gets: what was edited, or one that tells what it is for. */
export function roleNameOf({ source, destination, role }: Draft): string {
  if (role.kind === 'create' && role.name !== undefined) return role.name
  return `replicate-${source?.bucket ?? 'source'}-to-${destination?.bucket ?? 'destination'}`.slice(0, roleNameMax)
}

/** The permissions that a new role gets: what was edited, or what the rule needs. */
export function policyOf({ source, destination, role, ownerOverride }: Draft): string {
  if (role.kind === 'create' && role.policy !== undefined) return role.policy
  return policyForReplication({
    source: source?.bucket ?? 'SOURCE',
    destination: destination?.bucket ?? 'DESTINATION',
    hasOwnerOverride: ownerOverride !== '',
  })
}

/** The rule that a draft makes. */
export function ruleOf(draft: Draft): Rule {
  return {
    id: ruleId(draft),
    isEnabled: true,
    priority: draft.priority,
    prefix: draft.prefix,
    tags: draft.tags,
    destinationBucket: draft.destination?.bucket ?? '',
    storageClass: draft.storageClass === '' ? undefined : draft.storageClass,
    deleteMarkers: draft.deleteMarkers && draft.tags.length === 0,
    ownerOverride: draft.ownerOverride === '' ? undefined : draft.ownerOverride,
  }
}

/** Told apart by where it leads and what it takes; S3 takes 255 characters. */
function ruleId({ destination, prefix }: Draft): string {
  const name = `to-${destination?.bucket ?? ''}${prefix === '' ? '' : `-${prefix}`}`
  return name.replace(/[^\w.-]/g, '-').slice(0, 255)
}

/** One line of the list at the foot. `unknown`: not found out yet. */
export interface Check {
  readonly id: string
  readonly side: 'source' | 'destination' | 'role'
  readonly text: string
  readonly state: 'good' | 'bad' | 'unknown'
  /** What a press of its button does. */
  readonly mend?: 'enable-source-versioning' | 'enable-destination-versioning'
}

/** What was found out about the buckets; undefined while it is asked. */
export interface Facts {
  readonly sourceVersioning: 'Off' | 'Enabled' | 'Suspended' | undefined
  readonly destinationVersioning: 'Off' | 'Enabled' | 'Suspended' | undefined
  readonly isDestinationReachable: boolean
  /** Of all roles that are there. */
  readonly roleNames: readonly string[]
}

export function checksOf(draft: Draft, facts: Facts): readonly Check[] {
  return [...sourceChecks(draft, facts), ...destinationChecks(draft, facts), ...roleChecks(draft, facts)]
}

function sourceChecks({ source, tags }: Draft, { sourceVersioning }: Facts): readonly Check[] {
  if (source === undefined) return [bad('source', 'source', 'Choose the bucket that is copied.')]
  const checks: Check[] = [versioned('source', source.bucket, sourceVersioning)]
  if (tags.some(({ Key }) => Key === '')) checks.push(bad('tags', 'source', 'A tag has no key.'))
  if (new Set(tags.map(({ Key }) => Key)).size < tags.length) checks.push(bad('tags-twice', 'source', 'A tag key stands there twice.'))
  return checks
}

function destinationChecks({ source, destination }: Draft, facts: Facts): readonly Check[] {
  if (destination === undefined || destination.bucket === '') {
    return [bad('destination', 'destination', 'Choose or create the bucket that the copies go to.')]
  }
  if (source !== undefined && source.region === destination.region) {
    return [bad('region', 'destination', `Both buckets are in ${destination.region}. Replication goes to another region.`)]
  }
  if (!facts.isDestinationReachable) {
    return [bad('reach', 'destination', `Region ${destination.region} cannot be reached now.`)]
  }
  return [versioned('destination', destination.bucket, facts.destinationVersioning)]
}

function roleChecks(draft: Draft, { roleNames }: Facts): readonly Check[] {
  const { role } = draft
  if (role.kind === 'pick') {
    return [role.arn === '' ? bad('role', 'role', 'Choose a role, or let one be made.') : good('role', 'role', 'The role exists.')]
  }
  const name = roleNameOf(draft)
  if (roleNames.includes(name)) return [bad('role', 'role', `There is a role ${name} already: choose it, or another name.`)]
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) return [bad('role', 'role', 'A role’s name has 1 to 64 letters, digits and +=,.@_-.')]
  for (const [what, text] of [
    ['trust', role.trust],
    ['permissions', policyOf(draft)],
  ] as const) {
    const problem = jsonProblem(text)
    if (problem !== undefined) return [bad(what, 'role', `The ${what} are no JSON: ${problem}`)]
  }
  return [good('role', 'role', `The role ${name} will be made.`)]
}

function versioned(side: 'source' | 'destination', bucket: string, state: Facts['sourceVersioning']): Check {
  const id = `${side}-versioning`
  if (state === undefined) return { id, side, state: 'unknown', text: `Asking whether ${bucket} keeps versions.` }
  if (state === 'Enabled') return good(id, side, `${bucket} keeps versions.`)
  return { ...bad(id, side, `${bucket} does not keep versions, and replication needs them.`), mend: `enable-${side}-versioning` }
}

function good(id: string, side: Check['side'], text: string): Check {
  return { id, side, text, state: 'good' }
}

function bad(id: string, side: Check['side'], text: string): Check {
  return { id, side, text, state: 'bad' }
}

function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
