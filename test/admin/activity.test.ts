import { CreateAccessKeyCommand, CreateUserCommand } from '@aws-sdk/client-iam'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { account, openPair, rootKey } from '../support/regions-pair.ts'

interface Activity {
  readonly requests: readonly { readonly operation: string | null; readonly key: string | null }[]
  readonly changes: readonly { readonly kind: string; readonly what: string }[]
}

it('tells the last requests and the last changes, the newest first, without a secret', async () => {
  const { source, iam } = await openPair()
  await source.s3.send(new CreateBucketCommand({ Bucket: 'near-shore' }))
  await source.s3.send(new PutObjectCommand({ Bucket: 'near-shore', Key: 'a/b', Body: 'x' }))
  await expect(source.s3.send(new GetObjectCommand({ Bucket: 'near-shore', Key: 'k'.repeat(1000) }))).rejects.toThrow()
  await fetch(`http://127.0.0.1:${Number(new URL(source.adminUrl).port) - 1}/near-shore/a`)
  await iam.send(new CreateUserCommand({ UserName: 'anna' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'anna' }))
  const told = await source.admin<Activity>('/admin/v1/activity')
  const caller = `arn:aws:iam::${account.accountId}:root`
  expect(told.requests).toMatchObject([
    { method: 'POST', operation: 'iam:CreateAccessKey', bucket: null, key: null, status: 200, caller },
    { method: 'POST', operation: 'iam:CreateUser', status: 200 },
    { method: 'GET', operation: 'GetObject', bucket: 'near-shore', key: 'a', status: 403, caller: null },
    { method: 'GET', operation: 'GetObject', key: `${'k'.repeat(200)}…`, status: 404, caller },
    {
      at: expect.stringMatching(/Z$/),
      method: 'PUT',
      operation: 'PutObject',
      bucket: 'near-shore',
      key: 'a/b',
      status: 200,
      ms: expect.any(Number),
    },
    { method: 'PUT', operation: 'CreateBucket', bucket: 'near-shore', status: 200 },
  ])
  expect(told.changes.slice(0, 3)).toMatchObject([
    { kind: 'createAccessKey', what: AccessKey?.AccessKeyId, accountId: account.accountId },
    { kind: 'createIdentity', what: 'user anna' },
    { kind: 'createBucket', what: 'near-shore' },
  ])
  const text = JSON.stringify(told)
  for (const secret of [AccessKey?.SecretAccessKey ?? '', rootKey.secretAccessKey, 'sealed']) expect(text).not.toContain(secret)
})

it('keeps so many requests and no more', async () => {
  const { source } = await openPair()
  const url = `http://127.0.0.1:${Number(new URL(source.adminUrl).port) - 1}/near-shore`
  for (let i = 0; i < 230; i++) await (await fetch(`${url}/k${i}`)).text()
  const { requests } = await source.admin<Activity>('/admin/v1/activity')
  expect(requests).toHaveLength(200)
  expect([requests[0]?.key, requests[199]?.key]).toEqual(['k229', 'k30'])
})
