import { randomBytes } from 'node:crypto'
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  type ObjectLockRetention,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { refusal } from '../support/region.ts'
import {
  allow,
  eventually,
  type Failed,
  head,
  makeRole,
  objectActions,
  openPair,
  type Pair,
  type PairRegion,
  putRule,
  untilStatus,
  versionedBucket,
} from '../support/regions-pair.ts'

const bucketActions = ['s3:GetReplicationConfiguration', 's3:ListBucket']
const inHours = (hours: number): Date => new Date(Math.floor(Date.now() / 1000 + hours * 3600) * 1000)
const [near, far] = ['near-vault', 'far-vault']
const isProtected = { code: 'AccessDenied', message: 'Access Denied because object protected by object lock.' }

async function openVaults(locks: { readonly near: boolean; readonly far: boolean } = { near: true, far: true }): Promise<Pair> {
  const pair = await openPair()
  await versionedBucket(pair.source, near, { ObjectLockEnabledForBucket: locks.near })
  await versionedBucket(pair.destination, far, { ObjectLockEnabledForBucket: locks.far })
  return pair
}

async function link(pair: Pair): Promise<Pair> {
  await putRule(pair.source, { bucket: near, role: await makeRole(pair), to: far })
  return pair
}

const put = (pair: Pair, Key: string, more: Partial<PutObjectCommandInput> = {}) =>
  pair.source.s3.send(new PutObjectCommand({ Bucket: near, Key, Body: Key, ...more }))
const retain = (pair: Pair, Key: string, Retention: ObjectLockRetention, more: object = {}) =>
  pair.source.s3.send(new PutObjectRetentionCommand({ Bucket: near, Key, Retention, ...more }))
const holdOn = (pair: Pair, Key: string, Status: 'ON' | 'OFF') =>
  pair.source.s3.send(new PutObjectLegalHoldCommand({ Bucket: near, Key, LegalHold: { Status } }))
const lockNow = ({ s3 }: PairRegion, Bucket: string, days?: number) =>
  s3.send(
    new PutObjectLockConfigurationCommand({
      Bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        ...(days !== undefined && { Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: days } } }),
      },
    }),
  )
const until = (pair: Pair, key: string, status: string) => untilStatus(pair.source, { bucket: near, key, status, deadlineMs: 60_000 })

async function lockOf(region: PairRegion, bucket: string, key: string) {
  const { ObjectLockMode, ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus } = await head(region, bucket, key)
  return { ObjectLockMode, ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus }
}

async function reasonOf(region: PairRegion, key: string): Promise<string | undefined> {
  return (await region.admin<Failed>('/admin/v1/replication/failed')).objects.find((object) => object.key === key)?.reason
}

describe('the lock of a replica', () => {
  it('is that of its version, and keeps it at the destination', { timeout: 60_000 }, async () => {
    const pair = await link(await openVaults())
    const lock = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: inHours(5), ObjectLockLegalHoldStatus: 'ON' } as const
    const { VersionId } = await put(pair, 'k', lock)
    await until(pair, 'k', 'COMPLETED')
    expect(await lockOf(pair.destination, far, 'k')).toEqual(lock)
    const remove = new DeleteObjectCommand({ Bucket: far, Key: 'k', VersionId, BypassGovernanceRetention: true })
    expect(await refusal(pair.destination.s3.send(remove))).toMatchObject(isProtected)
    const Delete = { Objects: [{ Key: 'k', VersionId }] }
    const { Errors } = await pair.destination.s3.send(new DeleteObjectsCommand({ Bucket: far, Delete, BypassGovernanceRetention: true }))
    expect(Errors).toMatchObject([{ Code: 'AccessDenied' }])
  })

  it('follows later changes without the bytes: PENDING, then COMPLETED again', { timeout: 60_000 }, async () => {
    const pair = await link(await openVaults())
    await put(pair, 'k', { Body: randomBytes(900_000), ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inHours(5) })
    await until(pair, 'k', 'COMPLETED')
    const sentBefore = pair.destination.proxy.sentBytes
    await pair.destination.stop()
    await retain(pair, 'k', { Mode: 'GOVERNANCE', RetainUntilDate: inHours(2) }, { BypassGovernanceRetention: true })
    expect((await head(pair.source, near, 'k')).ReplicationStatus).toBe('PENDING')
    await pair.destination.start()
    await until(pair, 'k', 'COMPLETED')
    await holdOn(pair, 'k', 'ON')
    await until(pair, 'k', 'COMPLETED')
    const expected = await lockOf(pair.source, near, 'k')
    expect(expected).toMatchObject({ ObjectLockMode: 'GOVERNANCE', ObjectLockLegalHoldStatus: 'ON' })
    expect(await lockOf(pair.destination, far, 'k')).toEqual(expected)
    await holdOn(pair, 'k', 'OFF')
    await retain(pair, 'k', {}, { BypassGovernanceRetention: true })
    await eventually(async () => expect(await lockOf(pair.destination, far, 'k')).toEqual({ ObjectLockLegalHoldStatus: 'OFF' }))
    expect(pair.destination.proxy.sentBytes - sentBefore).toBeLessThan(500_000)
  })

  it('is the default of the destination only where the source has none', { timeout: 60_000 }, async () => {
    const pair = await link(await openVaults())
    await lockNow(pair.destination, far, 30)
    const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inHours(1) } as const
    await put(pair, 'own', lock)
    await put(pair, 'none')
    await until(pair, 'own', 'COMPLETED')
    await until(pair, 'none', 'COMPLETED')
    expect(await lockOf(pair.destination, far, 'own')).toEqual(lock)
    const byDefault = await lockOf(pair.destination, far, 'none')
    expect(byDefault.ObjectLockMode).toBe('GOVERNANCE')
    expect(byDefault.ObjectLockRetainUntilDate?.getTime()).toBeGreaterThan(Date.now() + 29.9 * 86_400_000)
    expect(await lockOf(pair.source, near, 'none')).toEqual({})
  })

  it('is not shortened below COMPLIANCE that was set at the destination', { timeout: 60_000 }, async () => {
    const pair = await link(await openVaults())
    await put(pair, 'k', { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inHours(1) })
    await until(pair, 'k', 'COMPLETED')
    const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: inHours(9) } as const
    await pair.destination.s3.send(new PutObjectRetentionCommand({ Bucket: far, Key: 'k', Retention, BypassGovernanceRetention: true }))
    await retain(pair, 'k', { Mode: 'GOVERNANCE', RetainUntilDate: inHours(2) })
    await holdOn(pair, 'k', 'ON')
    await until(pair, 'k', 'COMPLETED')
    expect(await lockOf(pair.destination, far, 'k')).toEqual({
      ObjectLockMode: 'COMPLIANCE',
      ObjectLockRetainUntilDate: Retention.RetainUntilDate,
      ObjectLockLegalHoldStatus: 'ON',
    })
  })
})

describe('a source with lock', () => {
  it('needs a destination with lock', { timeout: 60_000 }, async () => {
    const pair = await openVaults({ near: true, far: false })
    expect(await refusal(link(pair))).toMatchObject({
      code: 'InvalidRequest',
      status: 400,
      message: expect.stringContaining('Object Lock'),
    })
    await lockNow(pair.destination, far)
    await putRule(pair.source, { bucket: near, role: 'arn:aws:iam::123456789012:role/replicator', to: far })
    await put(pair, 'k')
    await until(pair, 'k', 'COMPLETED')
  })

  it('that got its lock later fails, and goes on when the destination has one', { timeout: 90_000 }, async () => {
    const pair = await link(await openVaults({ near: false, far: false }))
    await lockNow(pair.source, near)
    await put(pair, 'k', { ObjectLockLegalHoldStatus: 'ON' })
    await until(pair, 'k', 'FAILED')
    expect(await reasonOf(pair.source, 'k')).toBe('DstBucketObjectLockConfigMissing')
    await expect(head(pair.destination, far, 'k')).rejects.toThrow()
    await lockNow(pair.destination, far)
    await until(pair, 'k', 'COMPLETED')
    expect(await lockOf(pair.destination, far, 'k')).toEqual({ ObjectLockLegalHoldStatus: 'ON' })
    const suspend = new PutBucketVersioningCommand({ Bucket: far, VersioningConfiguration: { Status: 'Suspended' } })
    expect(await refusal(pair.destination.s3.send(suspend))).toMatchObject({ code: 'InvalidBucketState', status: 409 })
  })
})

describe('the role', () => {
  const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inHours(1), ObjectLockLegalHoldStatus: 'ON' } as const

  it.each([
    ['s3:GetObjectRetention', 'SrcGetRetentionNotPermitted'],
    ['s3:GetObjectLegalHold', 'SrcGetLegalHoldNotPermitted'],
  ])('without %s fails what is locked as %s, and nothing else', { timeout: 60_000 }, async (action, reason) => {
    const pair = await link(await openVaults())
    await allow(pair, 'replicator', [...bucketActions, ...objectActions.filter((one) => one !== action)])
    await put(pair, 'locked', lock)
    await put(pair, 'free')
    await until(pair, 'locked', 'FAILED')
    expect(await reasonOf(pair.source, 'locked')).toBe(reason)
    await until(pair, 'free', 'COMPLETED')
  })

  it.each([
    ['s3:PutObjectRetention', 'DstPutRetentionNotPermitted'],
    ['s3:PutObjectLegalHold', 'DstPutLegalHoldNotPermitted'],
  ])('that is denied %s fails as %s, and brings no unlocked replica', { timeout: 60_000 }, async (action, reason) => {
    const pair = await link(await openVaults())
    await allow(pair, 'replicator', [...bucketActions, ...objectActions], [action])
    await put(pair, 'locked', lock)
    await until(pair, 'locked', 'FAILED')
    expect(await reasonOf(pair.source, 'locked')).toBe(reason)
    await expect(head(pair.destination, far, 'locked')).rejects.toThrow()
  })
})
