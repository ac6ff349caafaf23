// The truth table of what has a say: identity policy × bucket policy × ACL × ownership × public access block × account.
import { describe, expect, it } from 'vitest'
import type { Caller, Principal } from '../../src/access/caller.ts'
import { type BucketAccess, decide, type ObjectAccess } from '../../src/access/decide.ts'
import { allUsers, authenticatedUsers, type Grant, logDelivery } from '../../src/model/acl.ts'
import { type ObjectOwnership, objectOwnerships } from '../../src/model/bucket.ts'
import { parseBucketPolicy } from '../../src/model/policy-bucket.ts'
import { parsePolicy } from '../../src/model/policy-document.ts'

const [own, other] = ['1'.repeat(64), '2'.repeat(64)]
const accountIds = { own: '111111111111', other: '222222222222' }
type Account = keyof typeof accountIds
type Effect = 'none' | 'Allow' | 'Deny'

const effects: readonly Effect[] = ['none', 'Allow', 'Deny']
const blockNone = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false }

function identityOf(effect: Effect) {
  if (effect === 'none') return []
  return [parsePolicy(JSON.stringify({ Statement: { Effect: effect, Action: 's3:*', Resource: '*' } }), 'identity')]
}

function user(account: Account, identity: Effect, more: Partial<Principal> = {}): Principal {
  return {
    kind: 'user',
    accountId: accountIds[account],
    canonicalId: account === 'own' ? own : other,
    accessKeyId: 'AKIA',
    arn: `arn:aws:iam::${accountIds[account]}:user/ann`,
    userId: 'AIDA',
    permissions: { identity: identityOf(identity) },
    ...more,
  }
}

const rootOf = (account: Account): Principal => user(account, 'none', { kind: 'root', arn: `arn:aws:iam::${accountIds[account]}:root` })

function policyFor(effect: Effect, AWS: unknown = '*', Action = 's3:*') {
  if (effect === 'none') return undefined
  const statement = { Effect: effect, Principal: { AWS }, Action, Resource: ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'] }
  return parseBucketPolicy(JSON.stringify({ Statement: statement }), 'b')
}

const toGroup = (URI: string, Permission: Grant['Permission'] = 'READ'): Grant => ({ Grantee: { Type: 'Group', URI }, Permission })
const toUser = (ID: string, Permission: Grant['Permission'] = 'READ'): Grant => ({ Grantee: { Type: 'CanonicalUser', ID }, Permission })

interface Case {
  readonly caller: Caller
  readonly action?: string
  readonly bucket?: Partial<BucketAccess>
  readonly object?: ObjectAccess | 'unread' | 'absent'
  readonly isInitiator?: boolean
}

function ask({ caller, action = 's3:GetObject', bucket, object = { ownerId: own, acl: [] }, isInitiator = false }: Case): string {
  const isObject = action.includes('Object')
  const decision = decide({
    caller,
    action,
    resource: isObject ? 'arn:aws:s3:::b/k' : 'arn:aws:s3:::b',
    bucket: { ownerId: own, policy: undefined, ownership: 'ObjectWriter', publicAccessBlock: undefined, acl: undefined, ...bucket },
    object: object === 'absent' ? undefined : object,
    isInitiator,
  })
  return decision.kind === 'deny' ? decision.reason : decision.kind
}

const isAllowed = (one: Case) => ask(one) === 'allow'

interface Row {
  readonly account: Account | 'anonymous'
  readonly identity: Effect
  readonly policy: Effect
  readonly acl: 'none' | 'user' | 'all' | 'authenticated'
  readonly ownership: ObjectOwnership
  readonly ignores: boolean
  readonly restricts: boolean
}

function expectedOf(row: Row): boolean {
  const { account, identity, policy, restricts } = row
  if (identity === 'Deny' || policy === 'Deny') return false
  const isOpened = policy === 'Allow' && (account === 'own' || !restricts)
  switch (account) {
    case 'own':
      return identity === 'Allow' || isOpened || isPublicGrant(row)
    case 'other':
      return identity === 'Allow' && (isOpened || isPublicGrant(row) || (row.acl === 'user' && row.ownership !== 'BucketOwnerEnforced'))
    case 'anonymous':
      return isOpened || isPublicGrant(row)
    default:
      return account satisfies never
  }
}

function isPublicGrant({ account, acl, ownership, ignores }: Row): boolean {
  if (ownership === 'BucketOwnerEnforced' || ignores) return false
  return acl === 'all' || (acl === 'authenticated' && account !== 'anonymous')
}

describe('the truth table', () => {
  const callers = { own: (effect: Effect) => user('own', effect), other: (effect: Effect) => user('other', effect) }
  const acls = { none: [], user: [toUser(other)], all: [toGroup(allUsers)], authenticated: [toGroup(authenticatedUsers)] } as const
  const rows = (['own', 'other', 'anonymous'] as const).flatMap((account) =>
    effects.flatMap((identity) =>
      effects.flatMap((policy) =>
        (Object.keys(acls) as (keyof typeof acls)[]).flatMap((acl) =>
          objectOwnerships.flatMap((ownership) =>
            [false, true].flatMap((ignores) =>
              [false, true].map((restricts) => ({ account, identity, policy, acl, ownership, ignores, restricts })),
            ),
          ),
        ),
      ),
    ),
  )

  it(`holds in its ${rows.length} rows`, () => {
    for (const row of rows) {
      const { account, identity, policy, acl, ownership, ignores, restricts } = row
      if (account === 'anonymous' && identity !== 'none') continue
      const caller: Caller = account === 'anonymous' ? { kind: 'anonymous' } : callers[account](identity)
      const publicAccessBlock = { ...blockNone, IgnorePublicAcls: ignores, RestrictPublicBuckets: restricts }
      const bucket = { policy: policyFor(policy), ownership, publicAccessBlock }
      expect(isAllowed({ caller, bucket, object: { ownerId: own, acl: acls[acl] } }), JSON.stringify(row)).toBe(expectedOf(row))
    }
  })
})

describe('the root', () => {
  it('may do everything with what is its own, until the bucket policy denies it', () => {
    expect(ask({ caller: rootOf('own') })).toBe('allow')
    expect(ask({ caller: rootOf('own'), bucket: { policy: policyFor('Deny') } })).toBe('explicit-resource')
    expect(ask({ caller: rootOf('other') })).toBe('closed')
  })

  it.each(['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy'])(
    'of the account may %s whatever the policy denies',
    (action) => {
      const bucket = { policy: policyFor('Deny') }
      expect(ask({ caller: rootOf('own'), action, bucket })).toBe('allow')
      expect(ask({ caller: rootOf('other'), action, bucket })).toBe('closed')
      expect(ask({ caller: user('own', 'Allow'), action, bucket })).toBe('explicit-resource')
    },
  )
})

describe('a principal of the same account', () => {
  const bounded = (more: Partial<Principal['permissions']>) =>
    user('own', 'Allow', { permissions: { identity: identityOf('Allow'), ...more } })

  it('is kept by its boundary, but for what the policy gives to it by its own ARN', () => {
    const caller = bounded({ boundary: [] })
    expect(ask({ caller })).toBe('no-boundary')
    expect(ask({ caller, bucket: { policy: policyFor('Allow') } })).toBe('no-boundary')
    expect(ask({ caller, bucket: { policy: policyFor('Allow', caller.arn) } })).toBe('allow')
    expect(ask({ caller: bounded({ boundary: identityOf('Deny') }), bucket: { policy: policyFor('Allow', caller.arn) } })).toBe(
      'explicit-boundary',
    )
  })

  it('is not allowed by a policy that names the account: that leaves it to the account', () => {
    expect(ask({ caller: user('own', 'none'), bucket: { policy: policyFor('Allow', accountIds.own) } })).toBe('no-identity')
    expect(ask({ caller: user('own', 'Allow'), bucket: { policy: policyFor('Deny', accountIds.own) } })).toBe('explicit-resource')
  })

  it('is kept by the policy of its session when the role is named, and not when the session is', () => {
    const issuerArn = 'arn:aws:iam::111111111111:role/path/r'
    const arn = 'arn:aws:sts::111111111111:assumed-role/r/s'
    const session = { issuerArn, issuerId: 'AROAR', kind: 'role', issuedMs: 0, expiresMs: 1 } as const
    const caller = user('own', 'none', { kind: 'session', arn, session, permissions: { identity: [], session: [] } })
    expect(ask({ caller, bucket: { policy: policyFor('Allow', issuerArn) } })).toBe('no-identity')
    expect(ask({ caller, bucket: { policy: policyFor('Allow', arn) } })).toBe('allow')
    expect(ask({ caller: { ...caller, permissions: { identity: [] } }, bucket: { policy: policyFor('Allow', issuerArn) } })).toBe('allow')
  })
})

describe('whoever began an upload', () => {
  const action = 's3:AbortMultipartUpload'

  it.each(['own', 'other'] as const)(
    'of the %s account may end it, inside his boundary and his session, unless it is denied',
    (account) => {
      const caller = user(account, 'none')
      expect(isAllowed({ caller, action })).toBe(false)
      expect(isAllowed({ caller, action, isInitiator: true })).toBe(true)
      expect(isAllowed({ caller: user(account, 'Deny'), action, isInitiator: true })).toBe(false)
      expect(isAllowed({ caller, action, isInitiator: true, bucket: { policy: policyFor('Deny') } })).toBe(false)
      for (const limit of [{ boundary: [] }, { session: [] }]) {
        const limited = { ...caller, permissions: { ...caller.permissions, ...limit } }
        expect(isAllowed({ caller: limited, action, isInitiator: true })).toBe(false)
      }
    },
  )
})

describe('an object of another account', () => {
  const foreign = (acl: readonly Grant[] = []): ObjectAccess => ({ ownerId: other, acl })

  it('is read by the owner of the bucket only with a grant, and never by the policy of the bucket', () => {
    const bucket = { policy: policyFor('Allow') }
    expect(ask({ caller: rootOf('own'), bucket, object: foreign() })).toBe('no-resource')
    expect(ask({ caller: rootOf('own'), object: foreign([toUser(own)]) })).toBe('allow')
    expect(ask({ caller: { kind: 'anonymous' }, bucket, object: foreign() })).toBe('closed')
  })

  it('is deleted by the owner of the bucket, and read by its own', () => {
    expect(ask({ caller: rootOf('own'), action: 's3:DeleteObject', object: foreign() })).toBe('allow')
    expect(ask({ caller: rootOf('other'), object: foreign() })).toBe('allow')
    expect(ask({ caller: user('other', 'none'), object: foreign() })).toBe('closed')
    expect(ask({ caller: rootOf('other'), object: foreign(), bucket: { policy: policyFor('Deny') } })).toBe('closed')
  })

  it("is everybody's of the bucket when ACLs are off, and is not even read", () => {
    const bucket = { ownership: 'BucketOwnerEnforced' as ObjectOwnership }
    expect(ask({ caller: rootOf('own'), bucket, object: 'unread' })).toBe('allow')
    expect(ask({ caller: rootOf('own'), object: 'unread' })).toBe('needsObject')
  })
})

describe('grants', () => {
  it.each<[Grant['Permission'], string, boolean]>([
    ['READ', 's3:ListBucket', true],
    ['READ', 's3:ListBucketVersions', true],
    ['READ', 's3:ListBucketMultipartUploads', true],
    ['READ', 's3:GetBucketAcl', false],
    ['READ', 's3:PutObject', false],
    ['WRITE', 's3:PutObject', true],
    ['WRITE', 's3:DeleteObject', true],
    ['WRITE', 's3:DeleteObjectVersion', false],
    ['WRITE', 's3:ListBucket', false],
    ['READ_ACP', 's3:GetBucketAcl', true],
    ['WRITE_ACP', 's3:PutBucketAcl', true],
    ['FULL_CONTROL', 's3:PutBucketAcl', true],
    ['FULL_CONTROL', 's3:PutBucketPolicy', false],
    ['FULL_CONTROL', 's3:GetObject', false],
  ])('%s on a bucket: %s %s', (permission, action, expected) => {
    const acl = [toUser(other, permission)]
    expect(isAllowed({ caller: rootOf('other'), action, bucket: { acl }, object: 'absent' })).toBe(expected)
    expect(isAllowed({ caller: rootOf('other'), action, bucket: { acl: [toGroup(logDelivery, permission)] }, object: 'absent' })).toBe(
      false,
    )
  })

  it.each<[Grant['Permission'], string, boolean]>([
    ['READ', 's3:GetObject', true],
    ['READ', 's3:GetObjectVersion', true],
    ['READ', 's3:GetObjectAcl', false],
    ['READ_ACP', 's3:GetObjectVersionAcl', true],
    ['WRITE_ACP', 's3:PutObjectAcl', true],
    ['FULL_CONTROL', 's3:GetObject', true],
    ['FULL_CONTROL', 's3:DeleteObject', false],
  ])('%s on an object: %s %s', (permission, action, expected) => {
    expect(isAllowed({ caller: rootOf('other'), action, object: { ownerId: own, acl: [toUser(other, permission)] } })).toBe(expected)
  })
})

describe('a region', () => {
  it('may do nothing that is S3', () => {
    expect(ask({ caller: { kind: 'peer', region: 'eu-west-1' }, bucket: { policy: policyFor('Allow') } })).toBe('closed')
  })
})

describe('an action on no bucket', () => {
  const passRole = (account: string) => ({
    action: 'iam:PassRole',
    resource: `arn:aws:iam::${account}:role/r`,
    bucket: undefined,
    object: undefined,
  })

  it('is of the account that its ARN names, also for the root', () => {
    expect(decide({ caller: rootOf('own'), ...passRole(accountIds.own) }).kind).toBe('allow')
    expect(decide({ caller: rootOf('own'), ...passRole(accountIds.other) })).toEqual({ kind: 'deny', reason: 'closed' })
    expect(decide({ caller: user('own', 'Allow'), ...passRole(accountIds.own) })).toEqual({ kind: 'deny', reason: 'no-identity' })
  })
})
