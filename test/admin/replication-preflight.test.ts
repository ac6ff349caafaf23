import { CreateRoleCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  GetBucketReplicationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { adminPost } from '../support/admin-post.ts'
import { account, allow, eventually, forbid, makeRole, openPair, type Pair, putPolicy, versionedBucket } from '../support/regions-pair.ts'

const role = `arn:aws:iam::${account.accountId}:role/replicator`

function configuration(to = 'far-shore', more: object = {}): object {
  const rule = {
    ID: 'rule',
    Priority: 1,
    Status: 'Enabled',
    Filter: { Prefix: '' },
    DeleteMarkerReplication: { Status: 'Enabled' },
    Destination: { Bucket: `arn:aws:s3:::${to}` },
    ...more,
  }
  return { Role: role, Rules: [rule] }
}

interface Problem {
  readonly side: string
  readonly code: string
  readonly message: string
  readonly mend?: { readonly action: string }
}

async function ask(pair: Pair, of: object = configuration()): Promise<{ problems: readonly Problem[]; existing: object | null }> {
  const { status, text } = await adminPost(pair.source, '/admin/v1/replication/preflight', { bucket: 'near-shore', configuration: of })
  if (status !== 200) throw new Error(`${status} ${text}`)
  return JSON.parse(text) as { problems: readonly Problem[]; existing: object | null }
}

const brief = ({ problems }: { problems: readonly Problem[] }): readonly string[] =>
  problems.map(({ side, code, mend }) => `${side} ${code}${mend === undefined ? '' : ` ${mend.action}`}`)

describe('a preflight of a replication configuration', () => {
  it('names everything that is missing at once, with what mends it, and writes nothing', async () => {
    const pair = await openPair()
    await pair.source.s3.send(new CreateBucketCommand({ Bucket: 'near-shore' }))
    const seen = await ask(pair)
    expect(brief(seen)).toEqual([
      'source InvalidRequest enableVersioning',
      'destination InvalidRequest createBucket',
      'role InvalidRequest createRole',
    ])
    expect(seen.problems[1]?.message).toContain('must exist')
    await expect(pair.source.s3.send(new GetBucketReplicationCommand({ Bucket: 'near-shore' }))).rejects.toMatchObject({
      name: 'ReplicationConfigurationNotFoundError',
    })
  })

  it('is empty once its own mends are done', async () => {
    const pair = await openPair()
    const { source, destination, iam } = pair
    await source.s3.send(new CreateBucketCommand({ Bucket: 'near-shore' }))
    await destination.s3.send(
      new CreateBucketCommand({ Bucket: 'far-shore', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
    )
    const first = await ask(pair)
    expect(brief(first)).toEqual([
      'source InvalidRequest enableVersioning',
      'destination InvalidRequest enableVersioning',
      'role InvalidRequest createRole',
    ])
    for (const [region, Bucket] of [
      [source, 'near-shore'],
      [destination, 'far-shore'],
    ] as const) {
      await region.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    }
    const mend = first.problems[2]?.mend as unknown as { trustPolicy: object; policy: { Statement: object[] } } // createRole
    await iam.send(new CreateRoleCommand({ RoleName: 'replicator', AssumeRolePolicyDocument: JSON.stringify(mend.trustPolicy) }))
    const second = await eventually(async () => {
      const seen = await ask(pair)
      expect(brief(seen)).toContain('role InitiateReplicationNotPermitted putRolePolicy')
      return seen
    })
    expect(new Set(brief(second))).toEqual(new Set(['role InitiateReplicationNotPermitted putRolePolicy']))
    await putPolicy(pair, 'replicator', mend.policy.Statement)
    await eventually(async () => expect(await ask(pair)).toEqual({ problems: [], existing: { versions: 0, bytes: 0, isWhole: true } }))
  })

  it('asks for what the rule asks for, on both sides', async () => {
    const pair = await openPair()
    await versionedBucket(pair.source, 'near-shore')
    await versionedBucket(pair.destination, 'far-shore')
    await makeRole(pair)
    await eventually(async () => expect(brief(await ask(pair))).toEqual([]))
    await allow(pair, 'replicator', ['s3:*'], ['s3:ReplicateDelete'])
    await eventually(async () => expect(brief(await ask(pair))).toEqual(['role DstDelObjNotPermitted putRolePolicy']))
    const without = configuration('far-shore', { DeleteMarkerReplication: { Status: 'Disabled' } })
    expect(brief(await ask(pair, without))).toEqual([])
    await allow(pair, 'replicator', ['s3:*'])
    const Statement = [{ Effect: 'Deny', Principal: '*', Action: 's3:ReplicateObject', Resource: 'arn:aws:s3:::far-shore/*' }]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await pair.destination.s3.send(new PutBucketPolicyCommand({ Bucket: 'far-shore', Policy }))
    await eventually(async () => expect(brief(await ask(pair))).toContain('destination DstPutObjectNotPermitted'))
    const AssumeRole = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' }] })
    await pair.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'replicator', PolicyDocument: AssumeRole }))
    await eventually(async () => expect(brief(await ask(pair))).toEqual(['role InvalidRequest setTrustPolicy']))
  })

  it('counts what stands there already and would stay behind', async () => {
    const pair = await openPair()
    await versionedBucket(pair.source, 'near-shore')
    await versionedBucket(pair.destination, 'far-shore')
    await makeRole(pair)
    const put = (Key: string, Tagging?: string) =>
      pair.source.s3.send(new PutObjectCommand({ Bucket: 'near-shore', Key, Body: 'abc', Tagging }))
    for (const key of ['a/1', 'a/1', 'a/2', 'b/1']) await put(key)
    await put('c', 'keep=yes')
    const counted = async (Filter: object, more: object = { DeleteMarkerReplication: { Status: 'Disabled' } }) =>
      (await ask(pair, configuration('far-shore', { Filter, ...more }))).existing
    expect(await counted({ Prefix: 'a/' })).toEqual({ versions: 3, bytes: 9, isWhole: true })
    expect(await counted({ Tag: { Key: 'keep', Value: 'yes' } })).toEqual({ versions: 1, bytes: 3, isWhole: true })
    expect(await counted({ And: { Prefix: '', Tags: [{ Key: 'keep', Value: 'no' }] } })).toEqual({ versions: 0, bytes: 0, isWhole: true })
  })

  it('says which region cannot be asked', async () => {
    const pair = await openPair()
    await versionedBucket(pair.source, 'near-shore')
    await versionedBucket(pair.destination, 'far-shore')
    await makeRole(pair)
    await forbid(pair, 'replicator')
    await eventually(async () => expect(brief(await ask(pair))).toContain('role InitiateReplicationNotPermitted putRolePolicy'))
    await pair.destination.stop()
    const { problems } = await ask(pair)
    expect(problems).toEqual([{ side: 'destination', code: 'ServiceUnavailable', message: expect.stringContaining('eu-west-1') }])
  })

  it.each([
    ['no configuration', { Role: role, Rules: [] }, 'MalformedXML'],
    ['a rule without a destination', { Role: role, Rules: [{ Status: 'Enabled', Filter: {} }] }, 'MalformedXML'],
    ['a role that is none', { ...configuration(), Role: 'anna' }, 'InvalidArgument'],
    ['its own bucket', configuration('near-shore'), 'InvalidRequest'],
  ])('says what is wrong with %s', async (_, of, code) => {
    const pair = await openPair()
    await versionedBucket(pair.source, 'near-shore')
    expect((await ask(pair, of)).problems.map((problem) => problem.code)).toContain(code)
  })

  it.each([{}, { bucket: 'near-shore' }, { bucket: 'near-shore', configuration: { Strange: 1 } }, []])('refuses %j', async (body) => {
    const pair = await openPair()
    expect(await adminPost(pair.source, '/admin/v1/replication/preflight', body)).toMatchObject({ status: 400 })
  })

  it('knows no bucket that is not there', async () => {
    const pair = await openPair()
    const body = { bucket: 'no-such', configuration: configuration() }
    expect(await adminPost(pair.source, '/admin/v1/replication/preflight', body)).toMatchObject({ status: 404 })
  })
})
