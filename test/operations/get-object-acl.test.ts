import { DeleteObjectCommand, GetObjectAclCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { canonicalId, refusal, useRegion } from '../support/region.ts'

const region = useRegion()
const client = () => region().client
const aclOf = (Bucket: string, Key: string, VersionId?: string) => client().send(new GetObjectAclCommand({ Bucket, Key, VersionId }))

describe('GetObjectAcl', () => {
  it('answers with the owner, whose alone an object without an ACL is', async () => {
    const Bucket = await region().makeBucket({ versioning: 'Enabled' })
    await client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    const answer = await aclOf(Bucket, 'k')
    expect(answer.Owner).toEqual({ ID: canonicalId })
    expect(answer.Grants).toEqual([{ Grantee: { Type: 'CanonicalUser', ID: canonicalId }, Permission: 'FULL_CONTROL' }])
    const { text } = await region().raw({ method: 'GET', path: `/${Bucket}/k?acl` })
    expect(text).toContain('<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">')
  })

  it('answers 404 for a missing key and 405 for a delete marker by its id', async () => {
    const Bucket = await region().makeBucket({ versioning: 'Enabled' })
    expect(await refusal(aclOf(Bucket, 'missing'))).toMatchObject({ code: 'NoSuchKey', status: 404 })
    const { VersionId } = await client().send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    expect(await refusal(aclOf(Bucket, 'k', VersionId))).toMatchObject({ code: 'MethodNotAllowed', status: 405 })
  })
})
