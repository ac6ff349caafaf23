import { DeleteObjectCommand, GetObjectLegalHoldCommand, PutObjectLegalHoldCommand } from '@aws-sdk/client-s3'
import { afterEach, describe, expect, it } from 'vitest'
import { denying, refusal, useRegion } from '../support/region.ts'
import { lockSettings, locksOf, protectedByLock, withoutLock } from './locks.ts'

const region = useRegion()
const { put, hold } = locksOf(region)
const get = async (address: Awaited<ReturnType<typeof put>>) =>
  (await region().client.send(new GetObjectLegalHoldCommand(address))).LegalHold?.Status
const remove = (address: Awaited<ReturnType<typeof put>>) =>
  region().client.send(new DeleteObjectCommand({ ...address, BypassGovernanceRetention: true }))

afterEach(() => {
  region().deny = () => {}
})

describe('PutObjectLegalHold', () => {
  it('keeps a version until it is taken off, whatever the caller may', async () => {
    const address = await put(await region().makeBucket(lockSettings), 'k')
    await hold(address, 'ON')
    expect(await get(address)).toBe('ON')
    expect(await refusal(remove(address))).toMatchObject(protectedByLock)
    await hold(address, 'OFF')
    expect(await get(address)).toBe('OFF')
    await remove(address)
    expect(await refusal(get(address))).toMatchObject({ code: 'NoSuchVersion' })
  })

  it('concerns the current version when none is named', async () => {
    const Bucket = await region().makeBucket(lockSettings)
    const first = await put(Bucket, 'k')
    const second = await put(Bucket, 'k')
    await hold({ Bucket, Key: 'k' }, 'ON')
    expect(await get(second)).toBe('ON')
    await remove(first)
  })

  it('refuses a status that is none', async () => {
    const address = await put(await region().makeBucket(lockSettings), 'k')
    const odd = new PutObjectLegalHoldCommand({ ...address, LegalHold: { Status: 'on' as 'ON' } }) // what the type forbids
    expect(await refusal(region().client.send(odd))).toMatchObject({ code: 'MalformedXML', status: 400 })
    const none = new PutObjectLegalHoldCommand({ ...address, LegalHold: {} })
    expect(await refusal(region().client.send(none))).toMatchObject({ code: 'MalformedXML', status: 400 })
  })

  it('refuses a bucket without lock, a version that is not there, and who may not', async () => {
    const plain = await put(await region().makeBucket({ versioning: 'Enabled' }), 'k')
    expect(await refusal(hold(plain, 'ON'))).toMatchObject(withoutLock)
    expect(await refusal(get(plain))).toMatchObject(withoutLock)
    const address = await put(await region().makeBucket(lockSettings), 'k')
    expect(await refusal(hold({ ...address, Key: 'other' }, 'ON'))).toMatchObject({ code: 'NoSuchVersion', status: 404 })
    region().deny = denying('s3:PutObjectLegalHold')
    expect(await refusal(hold(address, 'ON'))).toMatchObject({ code: 'AccessDenied', status: 403 })
  })
})

describe('GetObjectLegalHold', () => {
  it('answers 404 for a version on which none was ever set, and 403 to who may not know', async () => {
    const address = await put(await region().makeBucket(lockSettings), 'k')
    expect(await refusal(get(address))).toMatchObject({ code: 'NoSuchObjectLockConfiguration', status: 404 })
    region().deny = denying('s3:GetObjectLegalHold')
    expect(await refusal(get(address))).toMatchObject({ code: 'AccessDenied', status: 403 })
  })
})
