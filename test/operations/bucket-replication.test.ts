import {
  DeleteBucketCommand,
  DeleteBucketReplicationCommand,
  GetBucketReplicationCommand,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Role } from '../../src/model/role.ts'
import { account, newName, openDeployment, refusal, type TestNode, useDeployment } from '../support/deployment.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })
const trust = (service: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] })
const arnOf = (role: string) => `arn:aws:iam::${account.accountId}:role/${role}`

async function newRole(at: TestNode, service = 's3.amazonaws.com'): Promise<string> {
  const name = newName('role')
  const { accountId } = account
  const more = {
    id: 'AROAAAAAAAAAAAAAAAAAA',
    path: '/',
    accountId,
    createdMs: Date.now(),
    type: 'role' as const,
    attachedPolicies: [],
    tags: [],
    inlinePolicies: {},
  }
  const identity: Role = { name, arn: arnOf(name), trustPolicy: trust(service), ...more }
  await at.control.changeIdentities({ kind: 'createIdentity', identity })
  return arnOf(name)
}

async function newBucket(at: TestNode, versioning?: 'Enabled' | 'Suspended'): Promise<string> {
  const name = newName()
  await at.control.createBucket({ name, ownerId: account.canonicalId, settings: {} })
  if (versioning !== undefined)
    await at.s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: versioning } }))
  return name
}

interface Asked {
  readonly source?: string
  readonly role?: string
  readonly rules: string
  readonly headers?: Record<string, string>
}

let source: string
let destination: string
let role: string

beforeAll(async () => {
  source = await newBucket(node('us-east-1'), 'Enabled')
  destination = await newBucket(node('eu-west-1'), 'Enabled')
  role = await newRole(node('us-east-1'))
})

async function put({ source: bucket = source, role: arn = role, rules, headers = {} }: Asked, at = node()) {
  const body = `<ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Role>${arn}</Role>${rules}</ReplicationConfiguration>`
  const answer = await at.raw({ method: 'PUT', path: `/${bucket}?replication`, body, headers })
  return {
    status: answer.status,
    code: answer.element('Code'),
    message: answer.element('Message')?.replaceAll('&#x27;', "'"),
    text: answer.text,
  }
}

/** The elements of the stored configuration, without the namespace. */
async function stored(bucket = source): Promise<string | undefined> {
  const { text, status } = await node().raw({ method: 'GET', path: `/${bucket}?replication` })
  return status === 200 ? text.replace(/^.*\n/, '').replace(/ xmlns="[^"]*"/, '') : undefined
}

const to = (bucket: string, more = '') => `<Destination><Bucket>arn:aws:s3:::${bucket}</Bucket>${more}</Destination>`
const v1 = (inner: string) => `<Rule><ID>one</ID><Prefix>a/</Prefix><Status>Enabled</Status>${inner}</Rule>`
const v2 = (inner: string, filter = '<Filter></Filter>') =>
  `<Rule><ID>one</ID><Priority>1</Priority>${filter}<Status>Enabled</Status><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>${inner}</Rule>`

describe('PutBucketReplication', () => {
  it.each([
    ['a V1 rule', () => v1(to(destination))],
    ['a V2 rule for every object', () => v2(to(destination))],
    ['a V2 rule with a prefix', () => v2(to(destination), '<Filter><Prefix>a/</Prefix></Filter>')],
    ['a V2 rule with an empty prefix', () => v2(to(destination), '<Filter><Prefix></Prefix></Filter>')],
    ['a V2 rule with a tag', () => v2(to(destination), '<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>')],
    [
      'a V2 rule with prefix and tags',
      () =>
        v2(
          to(destination),
          '<Filter><And><Prefix>a/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value></Value></Tag></And></Filter>',
        ),
    ],
    ['a storage class', () => v2(to(destination, '<StorageClass>REDUCED_REDUNDANCY</StorageClass>'))],
    ['the owner of the destination', () => v2(to(destination, `<Account>${account.accountId}</Account>`))],
  ])('keeps %s as it was put', async (_, rules) => {
    expect(await put({ rules: rules() })).toMatchObject({ status: 200, text: '' })
    expect(await stored()).toBe(`<ReplicationConfiguration><Role>${role}</Role>${rules()}</ReplicationConfiguration>`)
  })

  it('takes elements in any order and gives them in S3’s', async () => {
    const rule = `<Rule>${to(destination)}<Filter/><DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication><Status>Disabled</Status><Priority>7</Priority><ID>x</ID></Rule>`
    expect((await put({ rules: rule })).status).toBe(200)
    expect(await stored()).toContain(
      `<Rule><ID>x</ID><Priority>7</Priority><Filter></Filter><Status>Disabled</Status><DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>${to(destination)}</Rule>`,
    )
  })

  it('makes up an ID for each rule that has none', async () => {
    const rules = [v1(to(destination)), v1(to(destination)).replace('a/', 'b/')].join('').replaceAll('<ID>one</ID>', '')
    expect((await put({ rules })).status).toBe(200)
    const { ReplicationConfiguration } = await node().s3.send(new GetBucketReplicationCommand({ Bucket: source }))
    const ids = ReplicationConfiguration?.Rules?.map(({ ID }) => ID)
    expect(new Set(ids).size).toBe(2)
    expect(ids?.every((id) => id !== undefined && id.length > 0 && id.length <= 255)).toBe(true)
  })

  it('finds each destination bucket and its region, and remembers which it was', async () => {
    expect((await put({ rules: v2(to(destination)) })).status).toBe(200)
    const bucket = await node().control.resolveBucket(source)
    const found = await node().control.nameOf(destination)
    expect(bucket.settings.replication?.destinations).toEqual({ [destination]: { bucketId: found?.id, region: 'eu-west-1' } })
  })

  describe('refuses, and keeps what stands:', () => {
    const cannotBeUsed = 'for this version of Cross Region Replication configuration schema.'
    const cases: readonly (readonly [string, () => Asked | Promise<Asked>, object])[] = [
      [
        'a source that is not versioned',
        async () => ({ source: await newBucket(node()), rules: v2(to(destination)) }),
        {
          code: 'InvalidRequest',
          message: "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
        },
      ],
      [
        'a source whose versioning is suspended',
        async () => ({ source: await newBucket(node(), 'Suspended'), rules: v2(to(destination)) }),
        {
          code: 'InvalidRequest',
          message: "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
        },
      ],
      [
        'a destination that does not exist',
        () => ({ rules: v2(to(newName())) }),
        { code: 'InvalidRequest', message: 'Destination bucket must exist.' },
      ],
      [
        'a destination that is not versioned',
        async () => ({ rules: v2(to(await newBucket(node('eu-west-1')))) }),
        {
          code: 'InvalidRequest',
          message: 'Destination bucket must have versioning enabled.',
        },
      ],
      [
        'the source as destination',
        () => ({ rules: v2(to(source)) }),
        {
          code: 'InvalidRequest',
          message: 'Destination bucket cannot be the same as the source bucket.',
        },
      ],
      [
        'a destination in the same region',
        async () => ({ rules: v2(to(await newBucket(node(), 'Enabled'))) }),
        {
          code: 'InvalidRequest',
          message: expect.stringContaining('in the same region'),
        },
      ],
      [
        'a bad bucket ARN',
        () => ({ rules: v2('<Destination><Bucket>a-bucket</Bucket></Destination>') }),
        { code: 'InvalidArgument', message: 'Invalid bucket ARN.' },
      ],
      [
        'an account that does not own the destination',
        () => ({ rules: v2(to(destination, '<Account>999999999999</Account>')) }),
        {
          code: 'InvalidArgument',
        },
      ],
      ['no rule', () => ({ rules: '' }), { code: 'MalformedXML' }],
      ['1001 rules', () => ({ rules: v2(to(destination)).repeat(1001) }), { code: 'InvalidRequest' }],
      ['an ID of 256 characters', () => ({ rules: v2(to(destination)).replace('one', 'x'.repeat(256)) }), { code: 'InvalidArgument' }],
      [
        'an ID twice',
        () => ({ rules: v2(to(destination)) + v2(to(destination)).replace('>1<', '>2<') }),
        {
          code: 'InvalidRequest',
          message: 'Rule Id must be unique',
        },
      ],
      [
        'a tag key twice',
        () => ({
          rules: v2(to(destination), `<Filter><And>${'<Tag><Key>k</Key><Value>v</Value></Tag>'.repeat(2)}</And></Filter>`),
        }),
        { code: 'InvalidRequest', message: 'Duplicate Tag Keys are not allowed.' },
      ],
      [
        'V2 without Priority',
        () => ({ rules: v2(to(destination)).replace('<Priority>1</Priority>', '') }),
        {
          code: 'InvalidRequest',
          message: expect.stringContaining(`Priority must be specified ${cannotBeUsed}`),
        },
      ],
      [
        'V2 without DeleteMarkerReplication',
        () => ({ rules: v2(to(destination)).replace(/<DeleteMarker.*?<\/DeleteMarkerReplication>/, '') }),
        {
          code: 'InvalidRequest',
          message: expect.stringContaining(`DeleteMarkerReplication must be specified ${cannotBeUsed}`),
        },
      ],
      [
        'V1 with DeleteMarkerReplication',
        () => ({
          rules: v1(`<DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>${to(destination)}`),
        }),
        { code: 'InvalidRequest', message: expect.stringContaining(`DeleteMarkerReplication cannot be used ${cannotBeUsed}`) },
      ],
      [
        'delete markers with a tag',
        () => ({
          rules: v2(to(destination), '<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>').replace('Disabled', 'Enabled'),
        }),
        { code: 'InvalidRequest' },
      ],
      [
        'a role of another account',
        () => ({ role: 'arn:aws:iam::999999999999:role/replicator', rules: v2(to(destination)) }),
        { status: 403, code: 'AccessDenied', message: expect.stringContaining('Cross-account pass role') },
      ],
      [
        'a role that does not exist',
        () => ({ role: arnOf('nobody'), rules: v2(to(destination)) }),
        {
          code: 'InvalidRequest',
          message: expect.stringContaining(arnOf('nobody')),
        },
      ],
      [
        'a role of that name under another path',
        () => ({ role: role.replace('role/', 'role/other/'), rules: v2(to(destination)) }),
        {
          code: 'InvalidRequest',
          message: expect.stringContaining('does not exist'),
        },
      ],
      [
        'a role that S3 may not assume',
        async () => ({ role: await newRole(node(), 'ec2.amazonaws.com'), rules: v2(to(destination)) }),
        {
          code: 'InvalidRequest',
          message: expect.stringContaining('does not let s3.amazonaws.com assume it'),
        },
      ],
      ['something that is no role', () => ({ role: 'replicator', rules: v2(to(destination)) }), { code: 'InvalidArgument' }],
      ['an unknown element', () => ({ rules: v2(`${to(destination)}<Surprise/>`) }), { code: 'MalformedXML' }],
      ['two filters', () => ({ rules: v2(to(destination), '<Filter/><Filter/>') }), { code: 'MalformedXML' }],
      [
        'a token for object lock',
        () => ({ rules: v2(to(destination)), headers: { 'x-amz-bucket-object-lock-token': 't' } }),
        {
          status: 501,
          code: 'NotImplemented',
          message: expect.stringContaining('x-amz-bucket-object-lock-token'),
        },
      ],
    ]
    it.each(cases)('%s', async (_, ask, refused) => {
      expect((await put({ rules: v2(to(destination)).replace('one', 'standing') })).status).toBe(200)
      const before = await stored()
      const asked = await ask()
      expect(await put(asked)).toMatchObject({ status: 400, ...refused })
      expect(await stored()).toBe(before)
      if (asked.source !== undefined) expect(await stored(asked.source)).toBeUndefined()
    })
  })

  it('answers 503 and names the region that cannot be asked, and stores nothing', async () => {
    const broken = await openDeployment({ regions: ['us-east-1', 'eu-west-1'] })
    try {
      const [here, there] = [broken.node('us-east-1'), broken.node('eu-west-1')]
      const [from, into, arn] = [await newBucket(here, 'Enabled'), await newBucket(there, 'Enabled'), await newRole(here)]
      await there.stop()
      const refused = await put({ source: from, role: arn, rules: v2(to(into)) }, here)
      expect(refused).toMatchObject({ status: 503, code: 'ServiceUnavailable', message: expect.stringContaining('eu-west-1') })
      expect((await here.control.resolveBucket(from)).settings.replication).toBeUndefined()
    } finally {
      await broken.close()
    }
  })

  it('keeps versioning from being suspended', async () => {
    const bucket = await newBucket(node(), 'Enabled')
    expect((await put({ source: bucket, rules: v2(to(destination)) })).status).toBe(200)
    const suspend = new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Suspended' } })
    expect(await refusal(node().s3.send(suspend))).toMatchObject({ code: 'InvalidBucketState', status: 409 })
    await node().s3.send(new DeleteBucketReplicationCommand({ Bucket: bucket }))
    await node().s3.send(suspend)
  })
})

describe('GetBucketReplication', () => {
  it('answers 404 without a configuration', async () => {
    const Bucket = await newBucket(node(), 'Enabled')
    const refused = { code: 'ReplicationConfigurationNotFoundError', status: 404 }
    expect(await refusal(node().s3.send(new GetBucketReplicationCommand({ Bucket })))).toMatchObject(refused)
  })
})

describe('DeleteBucketReplication', () => {
  it('removes the configuration, also one that is not there', async () => {
    const Bucket = await newBucket(node(), 'Enabled')
    await put({ source: Bucket, rules: v2(to(destination)) })
    for (const _ of [1, 2]) {
      const { $metadata } = await node().s3.send(new DeleteBucketReplicationCommand({ Bucket }))
      expect($metadata.httpStatusCode).toBe(204)
    }
    expect(await stored(Bucket)).toBeUndefined()
    await node().s3.send(new DeleteBucketCommand({ Bucket }))
  })
})
