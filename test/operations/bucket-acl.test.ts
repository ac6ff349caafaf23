import { CreateBucketCommand, GetBucketAclCommand, PutBucketAclCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { account, newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()
const me = { Type: 'CanonicalUser' as const, ID: account.canonicalId }
const ownerOnly = [{ Grantee: me, Permission: 'FULL_CONTROL' as const }]
const logDelivery = { Type: 'Group' as const, URI: 'http://acs.amazonaws.com/groups/s3/LogDelivery' }

async function newBucket(ObjectOwnership?: 'ObjectWriter'): Promise<string> {
  const Bucket = newName()
  await node().s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership }))
  return Bucket
}

const grantsOf = async (Bucket: string) => (await node().s3.send(new GetBucketAclCommand({ Bucket }))).Grants
const putBody = async (bucket: string, body: string, headers = {}) => {
  const answer = await node().raw({ method: 'PUT', path: `/${bucket}?acl`, body, headers })
  return [answer.status, answer.element('Code')]
}
const owner = `<Owner><ID>${account.canonicalId}</ID></Owner>`
const grant = (grantee: string, permission = 'READ') => `<Grant>${grantee}<Permission>${permission}</Permission></Grant>`
const user = (id: string) =>
  `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>${id}</ID></Grantee>`
const policy = (grants: string, by = owner) =>
  `<AccessControlPolicy>${by}<AccessControlList>${grants}</AccessControlList></AccessControlPolicy>`

describe('PutBucketAcl', () => {
  it('keeps a canned ACL', async () => {
    const Bucket = await newBucket('ObjectWriter')
    await node().s3.send(new PutBucketAclCommand({ Bucket, ACL: 'log-delivery-write' as 'private' }))
    expect(await grantsOf(Bucket)).toEqual([
      ...ownerOnly,
      { Grantee: logDelivery, Permission: 'WRITE' },
      { Grantee: logDelivery, Permission: 'READ_ACP' },
    ])
  })

  it('keeps the grants of headers', async () => {
    const Bucket = await newBucket('ObjectWriter')
    await node().s3.send(new PutBucketAclCommand({ Bucket, GrantReadACP: `id="${account.canonicalId}"` }))
    expect(await grantsOf(Bucket)).toEqual([{ Grantee: me, Permission: 'READ_ACP' }])
  })

  it('keeps the policy of its body', async () => {
    const Bucket = await newBucket('ObjectWriter')
    const Grants = [
      { Grantee: me, Permission: 'WRITE' as const },
      { Grantee: logDelivery, Permission: 'READ_ACP' as const },
    ]
    await node().s3.send(new PutBucketAclCommand({ Bucket, AccessControlPolicy: { Owner: { ID: account.canonicalId }, Grants } }))
    expect(await grantsOf(Bucket)).toEqual(Grants)
  })

  it('refuses any other ACL than the owner’s while ACLs are off', async () => {
    const Bucket = await newBucket()
    const refused = { code: 'AccessControlListNotSupported', status: 400 }
    expect(await refusal(node().s3.send(new PutBucketAclCommand({ Bucket, ACL: 'private' })))).toMatchObject(refused)
    expect(await putBody(Bucket, policy(grant(user(account.canonicalId))))).toEqual([400, 'AccessControlListNotSupported'])
    expect(await putBody(Bucket, policy(grant(user(account.canonicalId), 'FULL_CONTROL')))).toEqual([200, undefined])
  })

  it('refuses a public ACL while public access is blocked', async () => {
    const Bucket = await newBucket('ObjectWriter')
    expect(await refusal(node().s3.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' })))).toMatchObject({
      code: 'AccessDenied',
      status: 403,
    })
    expect(await grantsOf(Bucket)).toEqual(ownerOnly)
  })

  it.each([
    ['no owner', policy(grant(user(account.canonicalId)), ''), 400, 'MalformedACLError'],
    ['another owner', policy(grant(user(account.canonicalId)), '<Owner><ID>x</ID></Owner>'), 403, 'AccessDenied'],
    ['an unknown permission', policy(grant(user(account.canonicalId), 'OWN')), 400, 'MalformedACLError'],
    ['a grantee without a type', policy(grant(user(account.canonicalId).replace(/ xsi:type="\w+"/, ''))), 400, 'MalformedACLError'],
    ['an unknown user', policy(grant(user('f'.repeat(64)))), 400, 'InvalidArgument'],
    ['an unknown group', policy(grant('<Grantee xmlns:xsi="i" xsi:type="Group"><URI>http://x</URI></Grantee>')), 400, 'InvalidArgument'],
    [
      'a mail address',
      policy(grant('<Grantee xmlns:xsi="i" xsi:type="AmazonCustomerByEmail"><EmailAddress>a@b.c</EmailAddress></Grantee>')),
      400,
      'UnresolvableGrantByEmailAddress',
    ],
    ['over 100 grants', policy(grant(user(account.canonicalId)).repeat(101)), 400, 'MalformedACLError'],
    ['something else', '<Acl/>', 400, 'MalformedACLError'],
    ['no XML', 'acl', 400, 'MalformedACLError'],
    ['nothing', '', 400, 'MissingSecurityHeader'],
  ])('refuses a body with %s', async (_, body, status, code) => {
    expect(await putBody(await newBucket('ObjectWriter'), body)).toEqual([status, code])
  })

  it('refuses header and body together', async () => {
    const refused = await putBody(await newBucket('ObjectWriter'), policy(grant(user(account.canonicalId))), { 'x-amz-acl': 'private' })
    expect(refused).toEqual([400, 'UnexpectedContent'])
  })

  it('refuses a canned name that does not exist', async () => {
    expect(await putBody(await newBucket('ObjectWriter'), '', { 'x-amz-acl': 'friends' })).toEqual([400, 'InvalidArgument'])
  })
})

describe('GetBucketAcl', () => {
  it('is the owner alone by default', async () => {
    const Bucket = await newBucket()
    const { Owner, Grants } = await node().s3.send(new GetBucketAclCommand({ Bucket }))
    expect(Owner).toEqual({ ID: account.canonicalId })
    expect(Grants).toEqual(ownerOnly)
  })
})
