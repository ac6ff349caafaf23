import { GetObjectAclCommand, PutObjectAclCommand, type PutObjectAclCommandInput, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { canonicalId, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const withAcls = { settings: { ownership: 'ObjectWriter' } } as const
const allUsers = 'http://acs.amazonaws.com/groups/global/AllUsers'
const me = { Type: 'CanonicalUser', ID: canonicalId } as const
const setAcl = (Bucket: string, input: Partial<PutObjectAclCommandInput>) =>
  client().send(new PutObjectAclCommand({ Bucket, Key: 'k', ...input }))
const grantsOf = async (Bucket: string, VersionId?: string) => {
  const { Grants = [] } = await client().send(new GetObjectAclCommand({ Bucket, Key: 'k', VersionId }))
  return Grants.map(({ Grantee, Permission }) => `${Grantee?.URI ?? Grantee?.ID} ${Permission}`)
}

async function bucketWithObject(options: Parameters<ReturnType<typeof region>['makeBucket']>[0] = withAcls) {
  const Bucket = await region().makeBucket(options)
  const { VersionId } = await client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
  return { Bucket, VersionId }
}

describe('PutObjectAcl', () => {
  it('keeps a canned ACL, grants from headers, and a document', async () => {
    const { Bucket } = await bucketWithObject()
    await setAcl(Bucket, { ACL: 'public-read' })
    expect(await grantsOf(Bucket)).toEqual([`${canonicalId} FULL_CONTROL`, `${allUsers} READ`])
    await setAcl(Bucket, { GrantReadACP: `uri="${allUsers}"` })
    expect(await grantsOf(Bucket)).toEqual([`${allUsers} READ_ACP`])
    const Grants = [
      { Grantee: me, Permission: 'READ' as const },
      { Grantee: { Type: 'Group' as const, URI: allUsers }, Permission: 'WRITE_ACP' as const },
    ]
    await setAcl(Bucket, { AccessControlPolicy: { Owner: { ID: canonicalId }, Grants } })
    expect(await grantsOf(Bucket)).toEqual([`${canonicalId} READ`, `${allUsers} WRITE_ACP`])
    await setAcl(Bucket, { ACL: 'private' })
    expect(await grantsOf(Bucket)).toEqual([`${canonicalId} FULL_CONTROL`])
  })

  it('sets the ACL of the version that is named', async () => {
    const { Bucket, VersionId } = await bucketWithObject({ ...withAcls, versioning: 'Enabled' })
    await client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'y' }))
    await setAcl(Bucket, { ACL: 'public-read', VersionId })
    expect([(await grantsOf(Bucket, VersionId)).length, (await grantsOf(Bucket)).length]).toEqual([2, 1])
  })

  it('refuses an ACL where ACLs are off, except the one that changes nothing', async () => {
    const { Bucket } = await bucketWithObject({})
    expect(await refusal(setAcl(Bucket, { ACL: 'private' }))).toMatchObject({ code: 'AccessControlListNotSupported', status: 400 })
    await setAcl(Bucket, { ACL: 'bucket-owner-full-control' })
    const Grants = [{ Grantee: me, Permission: 'FULL_CONTROL' as const }]
    await setAcl(Bucket, { AccessControlPolicy: { Owner: { ID: canonicalId }, Grants } })
  })

  it('refuses a public ACL with 403 where public ACLs are blocked', async () => {
    const block = { BlockPublicAcls: true, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false }
    const { Bucket } = await bucketWithObject({ settings: { ownership: 'ObjectWriter', publicAccessBlock: block } })
    expect(await refusal(setAcl(Bucket, { ACL: 'authenticated-read' }))).toMatchObject({ code: 'AccessDenied', status: 403 })
    expect(await grantsOf(Bucket)).toEqual([`${canonicalId} FULL_CONTROL`])
  })

  it('refuses what asks for nothing, for two things, or for what there is not', async () => {
    const { Bucket } = await bucketWithObject()
    const send = (body: string, headers = {}) => region().raw({ method: 'PUT', path: `/${Bucket}/k?acl`, body, headers })
    const policy = (grants: string, owner = canonicalId) =>
      `<AccessControlPolicy><Owner><ID>${owner}</ID></Owner><AccessControlList>${grants}</AccessControlList></AccessControlPolicy>`
    const grant = (grantee: string, type: string) =>
      `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="${type}">${grantee}</Grantee><Permission>READ</Permission></Grant>`
    expect((await send('')).element('Code')).toBe('MissingSecurityHeader')
    expect((await send(policy(grant(`<ID>${canonicalId}</ID>`, 'CanonicalUser')), { 'x-amz-acl': 'private' })).element('Code')).toBe(
      'UnexpectedContent',
    )
    expect((await send('', { 'x-amz-acl': 'private', 'x-amz-grant-read': `id="${canonicalId}"` })).element('Code')).toBe('InvalidRequest')
    expect((await send('', { 'x-amz-acl': 'mine' })).element('Code')).toBe('InvalidArgument')
    expect((await send(policy(grant('<ID>nobody</ID>', 'CanonicalUser')))).element('Code')).toBe('InvalidArgument')
    expect((await send(policy(grant('<EmailAddress>a@b</EmailAddress>', 'AmazonCustomerByEmail')))).element('Code')).toBe(
      'UnresolvableGrantByEmailAddress',
    )
    expect((await send('<AccessControlPolicy/>')).element('Code')).toBe('MalformedACLError')
    expect((await send(policy(grant(`<ID>${canonicalId}</ID>`, 'CanonicalUser'), 'f'.repeat(64)))).status).toBe(403)
    expect((await send(policy(''))).status).toBe(501)
    expect(await grantsOf(Bucket)).toEqual([`${canonicalId} FULL_CONTROL`])
  })

  it('answers 404 for a missing key', async () => {
    const Bucket = await region().makeBucket(withAcls)
    expect(await refusal(setAcl(Bucket, { ACL: 'private' }))).toMatchObject({ code: 'NoSuchKey', status: 404 })
  })
})
