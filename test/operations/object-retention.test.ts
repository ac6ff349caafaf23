import {
  DeleteObjectCommand,
  type ObjectLockRetention,
  PutObjectRetentionCommand,
  type PutObjectRetentionCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterEach, describe, expect, it } from 'vitest'
import { clientOf, user } from '../support/callers.ts'
import { denying, refusal, useRegion } from '../support/region.ts'
import { hourMs, inHours, lockSettings, locksOf, protectedByLock, withoutLock } from './locks.ts'

const shortOnly = user('short', {
  statements: [
    { Effect: 'Allow', Action: 's3:*', Resource: '*' },
    {
      Effect: 'Deny',
      Action: ['s3:PutObjectRetention', 's3:PutObject'],
      Resource: '*',
      Condition: { NumericGreaterThan: { 's3:object-lock-remaining-retention-days': '10' } },
    },
    {
      Effect: 'Deny',
      Action: 's3:PutObjectRetention',
      Resource: '*',
      Condition: { StringEquals: { 's3:object-lock-mode': 'COMPLIANCE' } },
    },
  ],
})
const region = useRegion({ principals: [shortOnly] })
const { put, retention } = locksOf(region)

afterEach(() => {
  region().deny = () => {}
})

type Address = Awaited<ReturnType<typeof put>>
const set = (
  address: Address,
  Retention: ObjectLockRetention,
  more: Partial<PutObjectRetentionCommandInput> = {},
  by: S3Client = region().client,
) => by.send(new PutObjectRetentionCommand({ ...address, Retention, ...more }))
const lockedBucket = () => region().makeBucket(lockSettings)
const bypass = { BypassGovernanceRetention: true }

describe('PutObjectRetention', () => {
  it('sets what GetObjectRetention tells, of the version that is named or of the current one', async () => {
    const Bucket = await lockedBucket()
    const first = await put(Bucket, 'k')
    const second = await put(Bucket, 'k')
    await set(first, { Mode: 'GOVERNANCE', RetainUntilDate: inHours(1) })
    await set({ ...second, VersionId: undefined }, { Mode: 'COMPLIANCE', RetainUntilDate: inHours(2) })
    expect(await retention(first)).toEqual({ Mode: 'GOVERNANCE', RetainUntilDate: expect.any(Date) })
    expect((await retention({ Bucket, Key: 'k' }))?.Mode).toBe('COMPLIANCE')
    expect((await retention(second))?.Mode).toBe('COMPLIANCE')
  })

  it('extends GOVERNANCE freely, and shortens, removes or hardens it with bypass alone', async () => {
    const address = await put(await lockedBucket(), 'k', { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inHours(2) })
    await set(address, { Mode: 'GOVERNANCE', RetainUntilDate: inHours(3) })
    const weaker: ObjectLockRetention[] = [
      { Mode: 'GOVERNANCE', RetainUntilDate: inHours(1) },
      { Mode: 'COMPLIANCE', RetainUntilDate: inHours(4) },
      {},
    ]
    for (const next of weaker) expect(await refusal(set(address, next))).toMatchObject(protectedByLock)
    expect((await retention(address))?.RetainUntilDate?.getTime()).toBeGreaterThan(Date.now() + 2.9 * hourMs)
    await set(address, { Mode: 'GOVERNANCE', RetainUntilDate: inHours(1) }, bypass)
    await set(address, {}, bypass)
    expect(await refusal(retention(address))).toMatchObject({ code: 'NoSuchObjectLockConfiguration', status: 404 })
    await set(address, { Mode: 'GOVERNANCE', RetainUntilDate: inHours(1) })
    await set(address, { Mode: 'COMPLIANCE', RetainUntilDate: inHours(1) }, bypass)
    expect((await retention(address))?.Mode).toBe('COMPLIANCE')
  })

  it('bypasses nothing for who may not', async () => {
    const address = await put(await lockedBucket(), 'k', { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inHours(2) })
    region().deny = denying('s3:BypassGovernanceRetention')
    expect(await refusal(set(address, {}, bypass))).toMatchObject(protectedByLock)
    await set(address, { Mode: 'GOVERNANCE', RetainUntilDate: inHours(3) }, bypass)
  })

  it('only ever extends COMPLIANCE, for the root too', async () => {
    const address = await put(await lockedBucket(), 'k', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: inHours(2) })
    const weaker: ObjectLockRetention[] = [
      { Mode: 'COMPLIANCE', RetainUntilDate: inHours(1) },
      { Mode: 'GOVERNANCE', RetainUntilDate: inHours(4) },
      {},
    ]
    for (const next of weaker) expect(await refusal(set(address, next, bypass))).toMatchObject(protectedByLock)
    await set(address, { Mode: 'COMPLIANCE', RetainUntilDate: inHours(3) })
    expect(await refusal(set(address, { Mode: 'COMPLIANCE', RetainUntilDate: inHours(2) }, bypass))).toMatchObject(protectedByLock)
  })

  it.each([
    ['a date that has passed', { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() - 1000) }, 'InvalidArgument'],
    ['a mode without a date', { Mode: 'GOVERNANCE' }, 'MalformedXML'],
    ['a date without a mode', { RetainUntilDate: inHours(1) }, 'MalformedXML'],
    ['a mode that is none', { Mode: 'compliance' as 'COMPLIANCE', RetainUntilDate: inHours(1) }, 'MalformedXML'], // what the type forbids
  ] as const)('refuses %s', async (_, next, code) => {
    const address = await put(await lockedBucket(), 'k')
    expect(await refusal(set(address, next))).toMatchObject({ code, status: 400 })
    expect(await refusal(retention(address))).toMatchObject({ code: 'NoSuchObjectLockConfiguration' })
  })

  it('refuses a bucket without lock, and versions that are not there or markers', async () => {
    const soon: ObjectLockRetention = { Mode: 'GOVERNANCE', RetainUntilDate: inHours(1) }
    const plain = await put(await region().makeBucket({ versioning: 'Enabled' }), 'k')
    expect(await refusal(set(plain, soon))).toMatchObject(withoutLock)
    expect(await refusal(retention(plain))).toMatchObject(withoutLock)
    const Bucket = await lockedBucket()
    expect(await refusal(set({ Bucket, Key: 'k', VersionId: undefined }, soon))).toMatchObject({ code: 'NoSuchKey', status: 404 })
    const other = await put(Bucket, 'other')
    expect(await refusal(set({ ...other, Key: 'k' }, soon))).toMatchObject({ code: 'NoSuchVersion', status: 404 })
    const { VersionId } = await region().client.send(new DeleteObjectCommand({ Bucket, Key: 'other' }))
    expect(await refusal(set({ Bucket, Key: 'other', VersionId }, soon))).toMatchObject({ code: 'MethodNotAllowed', status: 405 })
    expect(await refusal(retention({ Bucket, Key: 'other', VersionId }))).toMatchObject({ code: 'MethodNotAllowed', status: 405 })
  })

  it('is judged by what stands in its body', async () => {
    const address = await put(await lockedBucket(), 'k')
    const by = clientOf(shortOnly, region())
    expect(await refusal(set(address, { Mode: 'GOVERNANCE', RetainUntilDate: inHours(11 * 24) }, {}, by))).toMatchObject({
      code: 'AccessDenied',
    })
    expect(await refusal(set(address, { Mode: 'COMPLIANCE', RetainUntilDate: inHours(1) }, {}, by))).toMatchObject({ code: 'AccessDenied' })
    expect(await refusal(retention(address))).toMatchObject({ code: 'NoSuchObjectLockConfiguration' })
    await set(address, { Mode: 'GOVERNANCE', RetainUntilDate: inHours(9 * 24) }, {}, by)
    expect((await retention(address))?.Mode).toBe('GOVERNANCE')
  })
})

describe('GetObjectRetention', () => {
  it('tells nothing to who may not know', async () => {
    const address = await put(await lockedBucket(), 'k', { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inHours(2) })
    region().deny = denying('s3:GetObjectRetention')
    expect(await refusal(retention(address))).toMatchObject({ code: 'AccessDenied', status: 403 })
  })
})
