/**
 * A second reading of the rules, written to be obvious and not to be fast: regular expressions for wildcards, one list of statements for everything.
 * It shares no code with what it is compared to.
 */
export interface NaiveStatement {
  readonly effect: 'Allow' | 'Deny'
  /** Absent: of an identity. */
  readonly principal?: readonly string[]
  readonly notPrincipal?: readonly string[]
  readonly action?: readonly string[]
  readonly notAction?: readonly string[]
  readonly resource?: readonly string[]
  readonly notResource?: readonly string[]
  readonly conditions: readonly NaiveCondition[]
}

export interface NaiveCondition {
  readonly operator: string
  readonly key: string
  readonly values: readonly string[]
}

export interface NaiveCaller {
  readonly kind: 'anonymous' | 'root' | 'user' | 'session'
  readonly account: string
  /** By which principals name the caller: own ARN, and of a session also the role's. */
  readonly arn: string
  readonly roleArn?: string
  readonly identity: readonly NaiveStatement[]
  readonly boundary?: readonly NaiveStatement[]
  readonly session?: readonly NaiveStatement[]
}

export interface NaiveGrant {
  /** An account, `all` or `authenticated`. */
  readonly to: string
  readonly permission: string
}

export interface NaiveWorld {
  readonly caller: NaiveCaller
  readonly action: string
  readonly resource: string
  /** Lower-case key → value. */
  readonly context: Readonly<Record<string, string>>
  readonly bucketAccount: string
  readonly bucketPolicy: readonly NaiveStatement[]
  readonly ownership: string
  readonly ignoresPublicAcls: boolean
  readonly restrictsPublic: boolean
  readonly isPublicPolicy: boolean
  readonly bucketAcl: readonly NaiveGrant[]
  readonly object: { readonly account: string; readonly acl: readonly NaiveGrant[] } | undefined
}

const aclActions: Readonly<Record<string, readonly string[]>> = {
  'bucket READ': ['s3:ListBucket', 's3:ListBucketVersions', 's3:ListBucketMultipartUploads'],
  'bucket WRITE': ['s3:PutObject', 's3:DeleteObject'],
  'bucket READ_ACP': ['s3:GetBucketAcl'],
  'bucket WRITE_ACP': ['s3:PutBucketAcl'],
  'object READ': ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectTorrent'],
  'object READ_ACP': ['s3:GetObjectAcl', 's3:GetObjectVersionAcl'],
  'object WRITE_ACP': ['s3:PutObjectAcl', 's3:PutObjectVersionAcl'],
}

export function naiveAllows(world: NaiveWorld): boolean {
  const { caller, action } = world
  const isOwnersRoot = caller.kind === 'root' && caller.account === world.bucketAccount
  const own = [caller.identity, ...(caller.boundary ? [caller.boundary] : []), ...(caller.session ? [caller.session] : [])]
  if (caller.kind !== 'root' && own.some((statements) => hits(statements, 'Deny', world).length > 0)) return false
  if (isOwnersRoot && /^s3:(Get|Put|Delete)BucketPolicy$/.test(action)) return true
  if (hits(world.bucketPolicy, 'Deny', world).some((one) => concerns(one, caller))) return false
  return naiveOpens(world)
}

function hits(statements: readonly NaiveStatement[], effect: string, world: NaiveWorld): NaiveStatement[] {
  return statements.filter((one) => one.effect === effect && fits(one, world))
}

/** With no Deny in the way. */
function naiveOpens(world: NaiveWorld): boolean {
  const { caller } = world
  const isAnonymous = caller.kind === 'anonymous'
  const bounds = [caller.boundary, caller.session].filter((one) => one !== undefined)
  const isBounded = bounds.some((statements) => hits(statements, 'Allow', world).length === 0)
  const hasIdentity = !isAnonymous && hits(caller.identity, 'Allow', world).length > 0
  const isAllowedByIdentity = caller.kind === 'root' || (hasIdentity && !isBounded)
  const owner = ownerOf(world)
  const isOutside = isAnonymous || caller.account !== world.bucketAccount
  const isShut = owner !== world.bucketAccount || (world.restrictsPublic && world.isPublicPolicy && isOutside)
  const opened = isShut ? [] : hits(world.bucketPolicy, 'Allow', world).filter((one) => concerns(one, caller))

  if (isAnonymous) return opened.length > 0 || aclGrants(world, ['all'])
  if (caller.account !== owner) {
    return isAllowedByIdentity && (opened.length > 0 || aclGrants(world, [caller.account, 'all', 'authenticated']))
  }
  if (isAllowedByIdentity || opened.some((one) => one.principal?.includes(caller.arn))) return true
  if (isBounded) return false
  return (
    opened.some((one) => one.principal?.some((who) => who === '*' || who === caller.roleArn)) || aclGrants(world, ['all', 'authenticated'])
  )
}

function ownerOf({ ownership, action, object, bucketAccount }: NaiveWorld): string {
  const isOfAcl = /^s3:(GetObject|GetObjectVersion|GetObjectTorrent|(Get|Put)Object(Version)?Acl)$/.test(action)
  return ownership !== 'BucketOwnerEnforced' && isOfAcl && object !== undefined ? object.account : bucketAccount
}

function aclGrants(world: NaiveWorld, who: readonly string[]): boolean {
  if (world.ownership === 'BucketOwnerEnforced') return false
  const usable = (grants: readonly NaiveGrant[]) =>
    grants.filter(({ to }) => who.includes(to) && !(world.ignoresPublicAcls && (to === 'all' || to === 'authenticated')))
  const allows = (place: string, grants: readonly NaiveGrant[]) =>
    usable(grants).some(({ permission }) => {
      const permissions = permission === 'FULL_CONTROL' ? ['READ', 'WRITE', 'READ_ACP', 'WRITE_ACP'] : [permission]
      return permissions.some((one) => aclActions[`${place} ${one}`]?.includes(world.action))
    })
  return allows('bucket', world.bucketAcl) || (world.object !== undefined && allows('object', world.object.acl))
}

function concerns({ principal, notPrincipal }: NaiveStatement, caller: NaiveCaller): boolean {
  const listed = principal ?? notPrincipal ?? []
  if (listed.includes('*')) return principal !== undefined
  const isAccountListed = listed.includes(caller.account) || listed.includes(`arn:aws:iam::${caller.account}:root`)
  const links = [caller.arn, ...(caller.roleArn === undefined ? [] : [caller.roleArn])].filter((arn) => !arn.endsWith(':root'))
  if (caller.kind === 'anonymous') return notPrincipal !== undefined
  if (principal !== undefined) return isAccountListed || links.some((arn) => listed.includes(arn))
  return !(isAccountListed && links.every((arn) => listed.includes(arn)))
}

function fits(statement: NaiveStatement, world: NaiveWorld): boolean {
  const like = (text: string, flags: string) => (pattern: string) =>
    new RegExp(
      `^${pattern
        .replace(/[\\^$.|+()[\]{}/]/g, '\\$&')
        .replace(/\*/g, '[^]*')
        .replace(/\?/g, '[^]')}$`,
      flags,
    ).test(text)
  const { action, notAction, resource, notResource, conditions } = statement
  const isAction = action ? action.some(like(world.action, 'i')) : !notAction?.some(like(world.action, 'i'))
  const isResource = resource ? resource.some(like(world.resource, '')) : !notResource?.some(like(world.resource, ''))
  return isAction && isResource && conditions.every((condition) => holds(condition, world.context, like))
}

function holds(
  { operator, key, values }: NaiveCondition,
  context: Readonly<Record<string, string>>,
  like: (text: string, flags: string) => (pattern: string) => boolean,
): boolean {
  const have = context[key.toLowerCase()]
  if (operator === 'Null') return values.some((value) => (value === 'true') === (have === undefined))
  const isOptional = operator.endsWith('IfExists')
  const plain = operator.replace(/IfExists$/, '')
  const isNegated = plain.includes('Not')
  if (have === undefined) return isOptional || isNegated
  const matches = values.some((value) => {
    switch (plain) {
      case 'StringEquals':
      case 'StringNotEquals':
        return value === have
      case 'StringEqualsIgnoreCase':
        return value.toLowerCase() === have.toLowerCase()
      case 'StringLike':
      case 'StringNotLike':
        return like(have, '')(value)
      case 'NumericLessThan':
        return Number(have) < Number(value)
      case 'NumericGreaterThanEquals':
        return Number(have) >= Number(value)
      case 'Bool':
        return have === value
      default:
        throw new Error(`the naive reading has no ${plain}`)
    }
  })
  return isNegated !== matches
}
