import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, it } from 'vitest'
import { clientOf, user } from '../support/callers.ts'
import { form, multipart } from '../support/forms.ts'
import { denying, refusal, useRegion } from '../support/region.ts'
import { hourMs, inHours, lockSettings, locksOf, protectedByLock, withoutLock } from './locks.ts'

const complianceOnly = user('strict', {
  statements: [
    { Effect: 'Allow', Action: 's3:*', Resource: '*' },
    { Effect: 'Deny', Action: 's3:PutObject', Resource: '*', Condition: { StringNotEquals: { 's3:object-lock-mode': 'COMPLIANCE' } } },
    {
      Effect: 'Deny',
      Action: 's3:PutObject',
      Resource: '*',
      Condition: { NumericLessThan: { 's3:object-lock-remaining-retention-days': '2' } },
    },
    { Effect: 'Deny', Action: 's3:PutObjectLegalHold', Resource: '*', Condition: { StringEquals: { 's3:object-lock-legal-hold': 'ON' } } },
  ],
})
/** May bypass only what no request can be about. */
const pretender = user('pretender', {
  statements: [
    { Effect: 'Allow', NotAction: 's3:BypassGovernanceRetention', Resource: '*' },
    {
      Effect: 'Allow',
      Action: 's3:BypassGovernanceRetention',
      Resource: '*',
      Condition: { StringEquals: { 's3:object-lock-mode': 'COMPLIANCE' } },
    },
  ],
})
const region = useRegion({ principals: [complianceOnly, pretender] })
const { put, retention, hold } = locksOf(region)
const head = (address: { Bucket: string; Key: string; VersionId?: string | undefined }) =>
  region().client.send(new HeadObjectCommand(address))
const remove = (address: object, bypass = false) =>
  region().client.send(
    new DeleteObjectCommand({ ...(address as { Bucket: string; Key: string }), ...(bypass && { BypassGovernanceRetention: true }) }),
  )
const lockedBucket = () => region().makeBucket(lockSettings)
const governance = () => ({ ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inHours(2) }) as const
const compliance = () => ({ ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: inHours(2) }) as const
const held = { ObjectLockLegalHoldStatus: 'ON' } as const
const lockOf = async (address: Parameters<typeof head>[0]) => {
  const { ObjectLockMode, ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus } = await head(address)
  return { ObjectLockMode, ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus }
}

afterEach(() => {
  region().deny = () => {}
})

describe('the lock headers of PutObject', () => {
  it('lock the version, and HEAD and GET tell so', async () => {
    const Bucket = await lockedBucket()
    const lock = { ...governance(), ...held }
    const address = await put(Bucket, 'k', lock)
    expect(await lockOf(address)).toEqual(lock)
    expect(await region().client.send(new GetObjectCommand(address))).toMatchObject(lock)
    expect(await lockOf(await put(Bucket, 'plain'))).toEqual({})
  })

  it('are told only to who may read them', async () => {
    const lock = { ...governance(), ...held }
    const address = await put(await lockedBucket(), 'k', lock)
    region().deny = denying('s3:GetObjectRetention')
    expect(await lockOf(address)).toEqual(held)
    region().deny = denying('s3:GetObjectLegalHold')
    expect(await lockOf(address)).toEqual({
      ObjectLockMode: lock.ObjectLockMode,
      ObjectLockRetainUntilDate: lock.ObjectLockRetainUntilDate,
    })
  })

  it.each([
    ['a mode alone', { ObjectLockMode: 'GOVERNANCE' }, 'InvalidRequest'],
    ['a date alone', { ObjectLockRetainUntilDate: inHours(1) }, 'InvalidRequest'],
    ['a date that has passed', { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date(1e12) }, 'InvalidArgument'],
    ['a mode that is none', { ObjectLockMode: 'WORM' as 'GOVERNANCE', ObjectLockRetainUntilDate: inHours(1) }, 'InvalidArgument'], // what the type forbids
    ['a hold that is none', { ObjectLockLegalHoldStatus: 'on' as 'ON' }, 'InvalidArgument'], // what the type forbids
  ] as const)('refuse %s, and store nothing', async (_, lock, code) => {
    const Bucket = await lockedBucket()
    expect(await refusal(put(Bucket, 'k', lock))).toMatchObject({ code, status: 400 })
    expect(await refusal(head({ Bucket, Key: 'k' }))).toMatchObject({ status: 404 })
  })

  it('are refused in a bucket without lock', async () => {
    const Bucket = await region().makeBucket({ versioning: 'Enabled' })
    expect(await refusal(put(Bucket, 'k', governance()))).toMatchObject(withoutLock)
    expect(await refusal(put(Bucket, 'k', held))).toMatchObject(withoutLock)
  })

  it.each([
    ['s3:PutObjectRetention', governance()],
    ['s3:PutObjectLegalHold', held],
  ] as const)('need %s', async (action, lock) => {
    const Bucket = await lockedBucket()
    region().deny = denying(action)
    expect(await refusal(put(Bucket, 'k', lock))).toMatchObject({ code: 'AccessDenied', status: 403 })
    await put(Bucket, 'k')
  })

  it('need a Content-MD5 or a checksum, as does a bucket with a default retention', async () => {
    const Bucket = await lockedBucket()
    const lock = { 'x-amz-object-lock-mode': 'GOVERNANCE', 'x-amz-object-lock-retain-until-date': inHours(1).toISOString() }
    const send = (headers: Record<string, string>) => region().raw({ method: 'PUT', path: `/${Bucket}/k`, body: 'kept', headers })
    const md5 = createHash('md5').update('kept').digest('base64')
    const bare = await send(lock)
    expect([bare.status, bare.element('Code')]).toEqual([400, 'InvalidRequest'])
    expect((await send({ 'x-amz-object-lock-legal-hold': 'OFF' })).status).toBe(400)
    expect((await send({ ...lock, 'content-md5': md5 })).status).toBe(200)
    expect((await send({})).status).toBe(200)
    const Rule = { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } as const
    await region().client.send(
      new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule } }),
    )
    expect((await send({})).element('Code')).toBe('InvalidRequest')
    expect((await send({ 'content-md5': md5 })).status).toBe(200)
  })

  it('are what policies ask about', async () => {
    const Bucket = await lockedBucket()
    const by = clientOf(complianceOnly, region())
    const send = (lock: object) => by.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'b', ...lock }))
    const days = (count: number) => ({ ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: inHours(24 * count) })
    for (const lock of [{}, governance(), days(1), { ...days(3), ...held }]) {
      expect(await refusal(send(lock))).toMatchObject({ code: 'AccessDenied', status: 403 })
    }
    await send(days(3))
  })
})

describe('the lock headers of other writes', () => {
  it('lock a copy, which takes no lock from its source', async () => {
    const Bucket = await lockedBucket()
    await put(Bucket, 'source', { ...compliance(), ...held })
    const copy = (Key: string, lock: object) =>
      region().client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/source`, ...lock }))
    await copy('plain', {})
    expect(await lockOf({ Bucket, Key: 'plain' })).toEqual({})
    const lock = governance()
    await copy('locked', lock)
    expect(await lockOf({ Bucket, Key: 'locked' })).toEqual(lock)
    expect(await refusal(copy('half', { ObjectLockMode: 'GOVERNANCE' }))).toMatchObject({ code: 'InvalidRequest' })
  })

  const upload = async (Bucket: string, lock: Partial<CreateMultipartUploadCommandInput>) => {
    const { client } = region()
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ...lock }))
    const part = { Bucket, Key: 'k', UploadId, PartNumber: 1 }
    const { ETag } = await client.send(new UploadPartCommand({ ...part, Body: 'kept' }))
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    const { VersionId } = await client.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'k', UploadId, MultipartUpload }))
    return { Bucket, Key: 'k', VersionId, UploadId }
  }

  it('lock what an upload in parts becomes', async () => {
    const Bucket = await lockedBucket()
    const lock = { ...compliance(), ...held }
    const { UploadId: _, ...address } = await upload(Bucket, lock)
    expect(await lockOf(address)).toEqual(lock)
    expect(await refusal(remove(address, true))).toMatchObject(protectedByLock)
    expect(await refusal(upload(Bucket, { ObjectLockMode: 'GOVERNANCE' }))).toMatchObject({ code: 'InvalidRequest' })
    expect(await refusal(upload(await region().makeBucket(), held))).toMatchObject(withoutLock)
  })

  it('ask parts for a checksum too', async () => {
    const Bucket = await lockedBucket()
    const { UploadId } = await region().client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ...governance() }))
    const answer = await region().raw({ method: 'PUT', path: `/${Bucket}/k?partNumber=1&uploadId=${UploadId}`, body: 'kept' })
    expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidRequest'])
  })

  it('are fields of a form', async () => {
    const Bucket = await lockedBucket()
    const fields = {
      'x-amz-object-lock-mode': 'GOVERNANCE',
      'x-amz-object-lock-retain-until-date': inHours(1).toISOString(),
      'x-amz-object-lock-legal-hold': 'ON',
    }
    const { body, contentType } = multipart(form(Bucket, { fields }))
    const answer = await fetch(`${region().endpoint}/${Bucket}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: new Uint8Array(body),
    })
    expect(answer.status).toBe(204)
    expect(await lockOf({ Bucket, Key: 'k' })).toMatchObject({ ObjectLockMode: 'GOVERNANCE', ObjectLockLegalHoldStatus: 'ON' })
  })
})

describe('deleting a locked version', () => {
  it('is refused, while a deletion without version id makes a marker', async () => {
    const Bucket = await lockedBucket()
    const address = await put(Bucket, 'k', compliance())
    expect(await refusal(remove(address))).toMatchObject(protectedByLock)
    expect(await refusal(remove(address, true))).toMatchObject(protectedByLock)
    const marker = await remove({ Bucket, Key: 'k' })
    expect(marker.DeleteMarker).toBe(true)
    await remove({ Bucket, Key: 'k', VersionId: marker.VersionId })
    expect((await head({ Bucket, Key: 'k' })).VersionId).toBe(address.VersionId)
  })

  it('of GOVERNANCE works with bypass, for who may', async () => {
    const address = await put(await lockedBucket(), 'k', governance())
    expect(await refusal(remove(address))).toMatchObject(protectedByLock)
    region().deny = denying('s3:BypassGovernanceRetention')
    expect(await refusal(remove(address, true))).toMatchObject(protectedByLock)
    region().deny = () => {}
    await remove(address, true)
    expect(await refusal(head(address))).toMatchObject({ status: 404 })
  })

  it('takes a lock header beside a deletion for no answer to a condition', async () => {
    const address = await put(await lockedBucket(), 'k', governance())
    const client = clientOf(pretender, region())
    client.middlewareStack.add(
      (next) => (sent) => {
        const { headers } = sent.request as { headers: Record<string, string> } // an HTTP request, at this step
        headers['x-amz-object-lock-mode'] = 'COMPLIANCE'
        return next(sent)
      },
      { step: 'build' },
    )
    const deletion = client.send(new DeleteObjectCommand({ ...address, BypassGovernanceRetention: true }))
    expect(await refusal(deletion)).toMatchObject(protectedByLock)
  })

  it('asks no permission to bypass of what is not locked', async () => {
    const address = await put(await lockedBucket(), 'k')
    region().deny = denying('s3:BypassGovernanceRetention')
    await remove(address, true)
  })

  it('is answered key by key in DeleteObjects', async () => {
    const Bucket = await lockedBucket()
    const [kept, ruled, free] = [await put(Bucket, 'kept', held), await put(Bucket, 'ruled', governance()), await put(Bucket, 'free')]
    const Objects = [kept, ruled, free].map(({ Key, VersionId }) => ({ Key, VersionId }))
    const send = (more: object) => region().client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects }, ...more }))
    const refusedKeys = ({ Errors = [] }: Awaited<ReturnType<typeof send>>) => Errors.map(({ Key, Code, Message }) => [Key, Code, Message])
    const { code, message } = protectedByLock
    expect(refusedKeys(await send({}))).toEqual([
      ['kept', code, message],
      ['ruled', code, message],
    ])
    region().deny = denying('s3:BypassGovernanceRetention')
    expect(refusedKeys(await send({ BypassGovernanceRetention: true }))).toHaveLength(2)
    region().deny = () => {}
    expect(refusedKeys(await send({ BypassGovernanceRetention: true }))).toEqual([['kept', code, message]])
    const { Versions = [] } = await region().client.send(new ListObjectVersionsCommand({ Bucket }))
    expect(Versions.map(({ Key }) => Key)).toEqual(['kept'])
  })

  it('works when the time is over', async () => {
    const address = await put(await lockedBucket(), 'k', {
      ObjectLockMode: 'COMPLIANCE',
      ObjectLockRetainUntilDate: new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000),
    })
    expect(await refusal(remove(address))).toMatchObject(protectedByLock)
    const untilMs = (await retention(address))?.RetainUntilDate?.getTime() ?? 0
    await new Promise((resolve) => setTimeout(resolve, untilMs - Date.now() + 50))
    await remove(address)
  })

  it('is refused when the lock cannot be read', async () => {
    const Bucket = await lockedBucket()
    const address = await put(Bucket, 'k')
    await hold(address, 'OFF')
    const database = new Database(join(region().folder, 'metadata', 'metadata.db'))
    database.exec(`UPDATE versions SET record = json_set(record, '$.retention', json('{"value":1}')) WHERE id = '${address.VersionId}'`)
    database.close()
    expect(await refusal(remove(address, true))).toMatchObject(protectedByLock)
    expect(await refusal(region().client.send(new GetObjectRetentionCommand(address)))).toMatchObject({
      code: 'ServiceUnavailable',
      status: 503,
    })
    expect(await lockOf(address)).toEqual({ ObjectLockLegalHoldStatus: 'OFF' })
  })
})

it('keeps dates to the millisecond', async () => {
  const until = new Date(Date.now() + hourMs)
  const address = await put(await lockedBucket(), 'k', governance())
  const { client } = region()
  const text = `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${new Date(until.getTime() + 5 * hourMs).toISOString()}</RetainUntilDate></Retention>`
  const answer = await region().raw({ method: 'PUT', path: `/${address.Bucket}/k?retention`, body: text })
  expect(answer.status).toBe(200)
  const { Retention } = await client.send(new GetObjectRetentionCommand(address))
  expect(Retention?.RetainUntilDate?.getTime()).toBe(until.getTime() + 5 * hourMs)
})
