import { describe, expect, it } from 'vitest'
import {
  type AccessControlPolicy,
  allUsers,
  authenticatedUsers,
  type CannedAcl,
  cannedAcls,
  checkAclAllowed,
  checkCreateBucketAcl,
  checkPolicy,
  checkPublicAcl,
  isPublic,
  logDelivery,
  ownerOnly,
  type RequestedAcl,
  resolveAcl,
} from '../../src/model/acl.ts'
import { parseAclHeaders } from '../../src/model/acl-headers.ts'
import { refused, verdict } from './refused.ts'

const alice = { ID: 'a'.repeat(64) }
const bob = { ID: 'b'.repeat(64) }
const canned = (name: CannedAcl): RequestedAcl => ({ kind: 'canned', canned: name })

/** `who:PERMISSION`, to read at a glance. */
function summary(acl: AccessControlPolicy): string[] {
  return acl.Grants.map(
    ({ Grantee, Permission }) => `${Grantee.Type === 'Group' ? Grantee.URI.split('/').at(-1) : Grantee.ID.slice(0, 3)}:${Permission}`,
  )
}

describe('canned ACLs', () => {
  it.each<[CannedAcl, string[], string[]]>([
    ['private', [], []],
    ['public-read', ['AllUsers:READ'], ['AllUsers:READ']],
    ['public-read-write', ['AllUsers:READ', 'AllUsers:WRITE'], ['AllUsers:READ', 'AllUsers:WRITE']],
    ['authenticated-read', ['AuthenticatedUsers:READ'], ['AuthenticatedUsers:READ']],
    ['aws-exec-read', ['6aa:READ'], ['6aa:READ']],
    ['bucket-owner-read', ['bbb:READ'], []],
    ['bucket-owner-full-control', ['bbb:FULL_CONTROL'], []],
    ['log-delivery-write', [], ['LogDelivery:WRITE', 'LogDelivery:READ_ACP']],
  ])('%s', (name, onObject, onBucket) => {
    expect(summary(resolveAcl(canned(name), { owner: alice, bucketOwner: bob }))).toEqual(['aaa:FULL_CONTROL', ...onObject])
    expect(summary(resolveAcl(canned(name), { owner: alice }))).toEqual(['aaa:FULL_CONTROL', ...onBucket])
  })

  it('grants a bucket owner who owns the object once', () => {
    expect(resolveAcl(canned('bucket-owner-full-control'), { owner: alice, bucketOwner: alice })).toEqual(ownerOnly(alice))
  })

  it('knows which are public', () => {
    const open = cannedAcls.filter((name) => isPublic(resolveAcl(canned(name), { owner: alice, bucketOwner: bob }).Grants))
    expect(open).toEqual(['public-read', 'public-read-write', 'authenticated-read'])
  })
})

describe('ACL headers', () => {
  it('asks for nothing without them', () => expect(parseAclHeaders({ host: 'x' })).toBeUndefined())

  it('says which canned names there are', () => {
    const error = refused(() => parseAclHeaders({ 'x-amz-acl': 'nonsense' }))
    expect(error).toMatchObject({ code: 'InvalidArgument', details: { ArgumentName: 'x-amz-acl', ArgumentValue: 'nonsense' } })
    expect(error.message).toMatch(/^"nonsense" is no canned ACL\. There are: private, public-read, .+\.$/)
  })

  it('reads a canned name', () => expect(parseAclHeaders({ 'x-amz-acl': 'public-read' })).toEqual(canned('public-read')))

  it('reads grants, quoted or not, several to a header', () => {
    const requested = parseAclHeaders({
      'x-amz-grant-read': `id="${alice.ID}", uri="${allUsers}"`,
      'x-amz-grant-full-control': `id=${bob.ID}`,
      'x-amz-grant-write-acp': `uri=${authenticatedUsers},uri="${logDelivery}"`,
    })
    expect(requested && summary(resolveAcl(requested, { owner: alice }))).toEqual([
      'bbb:FULL_CONTROL',
      'aaa:READ',
      'AllUsers:READ',
      'AuthenticatedUsers:WRITE_ACP',
      'LogDelivery:WRITE_ACP',
    ])
  })

  it.each([
    [{ 'x-amz-acl': 'private', 'x-amz-grant-read': 'id=x' }, 'InvalidRequest'],
    [{ 'x-amz-acl': 'secret' }, 'InvalidArgument'],
    [{ 'x-amz-acl': '' }, 'InvalidArgument'],
    [{ 'x-amz-grant-read': '' }, 'InvalidArgument'],
    [{ 'x-amz-grant-read': 'nonsense' }, 'InvalidArgument'],
    [{ 'x-amz-grant-read': 'id=""' }, 'InvalidArgument'],
    [{ 'x-amz-grant-read': 'id="x" id="y"' }, 'InvalidArgument'],
    [{ 'x-amz-grant-read': 'name="x"' }, 'InvalidArgument'],
    [{ 'x-amz-grant-read': 'uri="http://example.com/"' }, 'InvalidArgument'],
    [{ 'x-amz-grant-read': 'emailAddress="a@b.c"' }, 'UnresolvableGrantByEmailAddress'],
    [{ 'x-amz-grant-read': Array.from({ length: 101 }, () => 'id=x').join(',') }, 'MalformedACLError'],
  ])('refuses %j with %s', (headers, code) => expect(verdict(() => parseAclHeaders(headers))).toBe(code))
})

describe('ownership', () => {
  it('takes any ACL where ACLs are on', () => {
    for (const ownership of ['ObjectWriter', 'BucketOwnerPreferred'] as const) {
      expect(verdict(() => checkAclAllowed(ownership, canned('public-read'), alice))).toBeUndefined()
    }
  })

  it('takes none, bucket-owner-full-control or the equal policy where they are off', () => {
    const equal: RequestedAcl = { kind: 'policy', policy: ownerOnly(alice) }
    for (const requested of [undefined, canned('bucket-owner-full-control'), equal]) {
      expect(verdict(() => checkAclAllowed('BucketOwnerEnforced', requested, alice))).toBeUndefined()
    }
  })

  it.each<[string, RequestedAcl]>([
    ...cannedAcls.filter((name) => name !== 'bucket-owner-full-control').map((name): [string, RequestedAcl] => [name, canned(name)]),
    ['another user’s policy', { kind: 'policy', policy: ownerOnly(bob) }],
    ['a policy with one grant more', { kind: 'policy', policy: resolveAcl(canned('public-read'), { owner: alice }) }],
    ['an empty policy', { kind: 'policy', policy: { Owner: alice, Grants: [] } }],
    ['grants to another', { kind: 'grants', grants: ownerOnly(bob).Grants }],
  ])('refuses %s where they are off', (_, requested) => {
    expect(verdict(() => checkAclAllowed('BucketOwnerEnforced', requested, alice))).toBe('AccessControlListNotSupported')
  })

  it('creates a bucket with ACLs off under a private ACL, and not under an open one', () => {
    expect(verdict(() => checkCreateBucketAcl('BucketOwnerEnforced', canned('private'), alice))).toBeUndefined()
    expect(verdict(() => checkCreateBucketAcl('BucketOwnerEnforced', canned('public-read'), alice))).toBe(
      'InvalidBucketAclWithObjectOwnership',
    )
    expect(verdict(() => checkCreateBucketAcl('ObjectWriter', canned('public-read'), alice))).toBeUndefined()
  })
})

describe('BlockPublicAcls', () => {
  const open = resolveAcl(canned('public-read'), { owner: alice }).Grants

  it('refuses a public ACL with AccessDenied while it is on', () => {
    expect(verdict(() => checkPublicAcl({ BlockPublicAcls: true }, open))).toBe('AccessDenied')
    expect(verdict(() => checkPublicAcl({ BlockPublicAcls: false }, open))).toBeUndefined()
    expect(verdict(() => checkPublicAcl(undefined, open))).toBeUndefined()
  })

  it('lets pass an ACL that is not public', () => {
    expect(verdict(() => checkPublicAcl({ BlockPublicAcls: true }, ownerOnly(alice).Grants))).toBeUndefined()
  })
})

describe('checkPolicy', () => {
  const isKnown = (id: string): boolean => id === alice.ID

  it.each<[string, AccessControlPolicy, string | undefined]>([
    ['its own', ownerOnly(alice), undefined],
    ['a public one', resolveAcl(canned('public-read'), { owner: alice }), undefined],
    ['the EC2 reader’s', resolveAcl(canned('aws-exec-read'), { owner: alice }), undefined],
    ['one that names another owner', { ...ownerOnly(alice), Owner: bob }, 'AccessDenied'],
    ['one for an unknown user', { Owner: alice, Grants: ownerOnly(bob).Grants }, 'InvalidArgument'],
    [
      'one for an unknown group',
      { Owner: alice, Grants: [{ Grantee: { Type: 'Group', URI: 'x' }, Permission: 'READ' }] },
      'InvalidArgument',
    ],
    ['one of 101 grants', { Owner: alice, Grants: Array.from({ length: 101 }, () => ownerOnly(alice).Grants).flat() }, 'MalformedACLError'],
  ])('judges %s', (_, policy, code) => expect(verdict(() => checkPolicy(policy, alice, isKnown))).toBe(code))
})
