import {
  CreateBucketCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketTaggingCommand,
  HeadBucketCommand,
  PutBucketAclCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { account, newName, openDeployment, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })
const configuration = (inner: string) => `<CreateBucketConfiguration>${inner}</CreateBucketConfiguration>`

async function put(
  region: string,
  inner: string | undefined,
  more: { readonly scope?: string; readonly headers?: Record<string, string> } = {},
) {
  const name = newName()
  const answer = await node(region).raw({
    method: 'PUT',
    path: `/${name}`,
    ...(inner !== undefined && { body: configuration(inner) }),
    ...more,
  })
  return { name, answer, refused: [answer.status, answer.element('Code')] }
}

describe('CreateBucket', () => {
  it('makes an empty bucket and says where it is', async () => {
    const Bucket = newName()
    const { Location } = await node().s3.send(new CreateBucketCommand({ Bucket }))
    expect(Location).toBe(`/${Bucket}`)
    await node().s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
  })

  it('knows the name in every region at once', async () => {
    const Bucket = newName()
    await node('eu-west-1').s3.send(new CreateBucketCommand({ Bucket }))
    const { BucketRegion } = await node('eu-west-1').s3.send(new HeadBucketCommand({ Bucket }))
    expect(BucketRegion).toBe('eu-west-1')
    expect(await refusal(node('us-east-1').s3.send(new CreateBucketCommand({ Bucket })))).toMatchObject({
      code: 'BucketAlreadyOwnedByYou',
      status: 409,
    })
  })

  it.each([
    ['us-east-1', 'us-east-1'],
    ['eu-west-1', 'eu-west-1'],
    ['eu-west-1', 'EU'],
  ])('takes in %s the location constraint %s', async (region, constraint) => {
    const { name, answer } = await put(region, `<LocationConstraint>${constraint}</LocationConstraint>`)
    expect(answer.status).toBe(200)
    const { LocationConstraint } = await node(region).s3.send(new GetBucketLocationCommand({ Bucket: name }))
    expect(LocationConstraint ?? 'us-east-1').toBe(region)
  })

  it.each([
    ['us-east-1', 'eu-west-1'],
    ['eu-west-1', 'us-east-1'],
    ['us-east-1', 'moon-1'],
    ['us-east-1', 'EU'],
    ['us-east-1', 'toString'],
  ])('refuses in %s the location constraint %s', async (region, constraint) => {
    const { refused, answer } = await put(region, `<LocationConstraint>${constraint}</LocationConstraint>`)
    expect(refused).toEqual([400, 'IllegalLocationConstraintException'])
    expect(answer.element('Message')).toBe(
      `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    )
  })

  it.each([undefined, '', '<LocationConstraint/>'])(
    'without a constraint (%j) makes it in the region that is asked and signed for',
    async (inner) => {
      const { name, answer } = await put('eu-west-1', inner)
      expect(answer.status).toBe(200)
      expect((await node('us-east-1').control.nameOf(name))?.region).toBe('eu-west-1')
    },
  )

  it('without a constraint refuses a request that is signed for another region', async () => {
    expect((await put('eu-west-1', undefined, { scope: 'us-east-1' })).refused).toEqual([400, 'IllegalLocationConstraintException'])
  })

  it.each(['Aa', 'ab', 'a..b', '192.168.1.1', 'xn--abc', 'a'.repeat(64), 'under_score'])('refuses the name %s', async (name) => {
    const answer = await node().raw({ method: 'PUT', path: `/${name}` })
    expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidBucketName'])
  })

  describe('of a bucket that the caller has', () => {
    it('answers 200 in us-east-1 and changes nothing', async () => {
      const Bucket = newName()
      await node().s3.send(new CreateBucketCommand({ Bucket }))
      const before = await node().control.nameOf(Bucket)
      await node().s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
      const { Location } = await node().s3.send(new CreateBucketCommand({ Bucket }))
      expect(Location).toBe(`/${Bucket}`)
      expect(await node().control.nameOf(Bucket)).toEqual(before)
    })

    it('answers 409 elsewhere, and where it asks for more than the bucket', async () => {
      const Bucket = newName()
      await node('eu-west-1').s3.send(new CreateBucketCommand({ Bucket }))
      expect(await refusal(node('eu-west-1').s3.send(new CreateBucketCommand({ Bucket })))).toMatchObject({
        code: 'BucketAlreadyOwnedByYou',
        status: 409,
      })
      const own = newName()
      await node().s3.send(new CreateBucketCommand({ Bucket: own }))
      const again = new CreateBucketCommand({ Bucket: own, ObjectOwnership: 'ObjectWriter' })
      expect(await refusal(node().s3.send(again))).toMatchObject({ code: 'BucketAlreadyOwnedByYou', status: 409 })
    })
  })

  it('answers BucketAlreadyExists for the name of somebody else', async () => {
    const name = newName()
    await node().control.createBucket({ name, ownerId: 'd'.repeat(64), settings: {} })
    expect(await refusal(node('eu-west-1').s3.send(new CreateBucketCommand({ Bucket: name })))).toMatchObject({
      code: 'BucketAlreadyExists',
      status: 409,
    })
  })

  it('keeps the tags of its configuration', async () => {
    const Bucket = newName()
    await node().s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { Tags: [{ Key: 'team', Value: 'red' }] } }))
    expect((await node().s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual([{ Key: 'team', Value: 'red' }])
  })

  it('refuses a tag twice, and makes no bucket', async () => {
    const tag = '<Tag><Key>a</Key><Value>1</Value></Tag>'
    const { refused, name } = await put('us-east-1', `<Tags>${tag}${tag}</Tags>`)
    expect(refused).toEqual([400, 'InvalidTag'])
    expect(await node().control.nameOf(name)).toBeUndefined()
  })

  it.each([
    '<Bucket><Type>Directory</Type><DataRedundancy>SingleAvailabilityZone</DataRedundancy></Bucket>',
    '<Location><Name>use1-az4</Name><Type>AvailabilityZone</Type></Location>',
  ])('refuses directory buckets: %s', async (inner) => {
    expect((await put('us-east-1', inner)).refused).toEqual([501, 'NotImplemented'])
  })

  it.each([
    '<LocationConstraint>eu</LocationConstraint><LocationConstraint>eu</LocationConstraint>',
    '<Region>x</Region>',
    '<LocationConstraint>',
  ])('refuses the configuration %s', async (inner) => {
    expect((await put('us-east-1', inner)).refused).toEqual([400, 'MalformedXML'])
  })

  it('takes the absence of Object Lock said aloud, and no other word than true and false', async () => {
    const asked = await put('us-east-1', undefined, { headers: { 'x-amz-bucket-object-lock-enabled': 'perhaps' } })
    expect(asked.refused).toEqual([400, 'InvalidArgument'])
    expect((await put('us-east-1', undefined, { headers: { 'x-amz-bucket-object-lock-enabled': 'false' } })).answer.status).toBe(200)
  })

  it('refuses an object ownership that does not exist', async () => {
    expect((await put('us-east-1', undefined, { headers: { 'x-amz-object-ownership': 'Nobody' } })).refused).toEqual([
      400,
      'InvalidArgument',
    ])
  })

  describe('with an ACL', () => {
    it('keeps it where ACLs are on', async () => {
      const Bucket = newName()
      await node().s3.send(
        new CreateBucketCommand({ Bucket, ObjectOwnership: 'ObjectWriter', ACL: 'private', CreateBucketConfiguration: {} }),
      )
      const { Grants } = await node().s3.send(new GetBucketAclCommand({ Bucket }))
      expect(Grants).toEqual([{ Grantee: { Type: 'CanonicalUser', ID: account.canonicalId }, Permission: 'FULL_CONTROL' }])
      await node().s3.send(new PutBucketAclCommand({ Bucket, ACL: 'private' }))
    })

    it('refuses a public one while public access is blocked', async () => {
      const headers = { 'x-amz-acl': 'public-read', 'x-amz-object-ownership': 'BucketOwnerPreferred' }
      expect((await put('us-east-1', undefined, { headers })).refused).toEqual([400, 'InvalidBucketAclWithBlockPublicAccessError'])
    })

    it('refuses one that opens anything while ACLs are off', async () => {
      expect((await put('us-east-1', undefined, { headers: { 'x-amz-acl': 'authenticated-read' } })).refused).toEqual([
        400,
        'InvalidBucketAclWithObjectOwnership',
      ])
    })

    it('refuses a canned one beside grants', async () => {
      const headers = { 'x-amz-acl': 'private', 'x-amz-grant-read': `id="${account.canonicalId}"` }
      expect((await put('us-east-1', undefined, { headers })).refused).toEqual([400, 'InvalidRequest'])
    })

    it('keeps a public one where the server blocks none by default', async () => {
      const open = await openDeployment({ defaults: { publicAccessBlock: false, ownership: 'ObjectWriter' } })
      try {
        const Bucket = newName()
        await open.node('us-east-1').s3.send(new CreateBucketCommand({ Bucket, ACL: 'public-read' }))
        const { Grants = [] } = await open.node('us-east-1').s3.send(new GetBucketAclCommand({ Bucket }))
        expect(Grants.map(({ Permission }) => Permission)).toEqual(['FULL_CONTROL', 'READ'])
      } finally {
        await open.close()
      }
    })
  })

  it('answers 503 and names the region that keeps the names while that is away', async () => {
    const broken = await openDeployment({ regions: ['us-east-1', 'eu-west-1'] })
    try {
      await broken.node('us-east-1').stop()
      const answer = await broken.node('eu-west-1').raw({ method: 'PUT', path: `/${newName()}` })
      expect([answer.status, answer.element('Code')]).toEqual([503, 'ServiceUnavailable'])
      expect(answer.element('Message')).toContain('us-east-1')
    } finally {
      await broken.close()
    }
  })
})
