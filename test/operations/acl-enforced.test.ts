// PutObject, GetObject, PutObjectTagging, DeleteObjects, CopyObject, ListObjectsV2 by others than the owner: what ACLs, ownership and policies open.
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { allUsers, authenticatedUsers, type Grant, logDelivery } from '../../src/model/acl.ts'
import type { BucketSettings, ObjectOwnership } from '../../src/model/bucket.ts'
import { clientOf, identityPolicy, otherCanonicalId, rootOfOther, type Statement, user } from '../support/callers.ts'
import { refusal, useRegion } from '../support/region.ts'

const allowed = (...Action: string[]): Statement => ({ Effect: 'Allow', Action, Resource: '*' })
const people = {
  stranger: rootOfOther(),
  writer: user('writer', { statements: [allowed('s3:PutObject')] }),
  tagger: user('tagger', {
    statements: [{ ...allowed('s3:PutObjectTagging'), Condition: { StringEquals: { 's3:RequestObjectTag/team': 'blue' } } }],
  }),
  deleter: user('deleter', { statements: [{ Effect: 'Allow', Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::*/mine/*' }] }),
  copier: user('copier', { statements: [allowed('s3:PutObject'), { ...allowed('s3:GetObject'), Resource: 'arn:aws:s3:::*/open' }] }),
  bounded: {
    ...user('bounded'),
    permissions: { identity: [identityPolicy(allowed('*'))], boundary: [identityPolicy(allowed('s3:ListBucket'))] },
  },
}
const region = useRegion({ principals: Object.values(people) })

let clients: Record<keyof typeof people, S3Client>
beforeAll(() => {
  const made = Object.entries(people).map(([name, principal]) => [name, clientOf(principal, region())])
  clients = Object.fromEntries(made) // one for each of the people
})

const put = (client: S3Client, Bucket: string, Key = 'k', more: object = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...more }))
const get = (client: S3Client, Bucket: string, Key = 'k') => client.send(new GetObjectCommand({ Bucket, Key }))
const fetched = async (bucket: string, path: string, init?: RequestInit) =>
  (await fetch(`${region().endpoint}/${bucket}/${path}`, init)).status
const toGroup = (URI: string, Permission: Grant['Permission']): Grant => ({ Grantee: { Type: 'Group', URI }, Permission })
const toStranger = (Permission: Grant['Permission']): Grant => ({ Grantee: { Type: 'CanonicalUser', ID: otherCanonicalId }, Permission })
const withAcls = (acl: readonly Grant[] = [], ownership: ObjectOwnership = 'ObjectWriter', more: BucketSettings = {}) =>
  region().makeBucket({ settings: { ownership, acl, ...more } })
const denied = { code: 'AccessDenied', status: 403 }

describe('ACLs', () => {
  it('open an object to everybody, and stop when they are switched off or ignored', async () => {
    const open = await withAcls()
    await put(region().client, open, 'k', { ACL: 'public-read' })
    await put(region().client, open, 'closed')
    expect(await fetched(open, 'k')).toBe(200)
    expect(await fetched(open, 'closed')).toBe(403)
    expect(await fetched(open, 'k', { method: 'PUT', body: 'y' })).toBe(403)
    const publicAccessBlock = { BlockPublicAcls: false, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false }
    const ignoring = await withAcls([toGroup(allUsers, 'READ')], 'ObjectWriter', { publicAccessBlock })
    await put(region().client, ignoring, 'k', { ACL: 'public-read' })
    expect(await fetched(ignoring, 'k')).toBe(403)
    expect(await fetched(await withAcls([toGroup(allUsers, 'READ')], 'BucketOwnerEnforced'), '?list-type=2')).toBe(403)
  })

  it('tell everybody from those with an account, and give LogDelivery to nobody', async () => {
    const bucket = await withAcls([toGroup(authenticatedUsers, 'READ'), toGroup(logDelivery, 'WRITE')])
    expect(await fetched(bucket, '?list-type=2')).toBe(403)
    await clients.stranger.send(new ListObjectsV2Command({ Bucket: bucket }))
    expect(await refusal(put(clients.stranger, bucket))).toMatchObject(denied)
    expect(await fetched(await withAcls([toGroup(allUsers, 'READ')]), '?list-type=2')).toBe(200)
  })

  it('let an object of another account be read by the owner of the bucket only when it says so', async () => {
    const bucket = await withAcls([toStranger('WRITE')])
    await put(clients.stranger, bucket)
    expect(await refusal(get(region().client, bucket))).toMatchObject(denied)
    await get(clients.stranger, bucket)
    await clients.stranger.send(new PutObjectAclCommand({ Bucket: bucket, Key: 'k', ACL: 'bucket-owner-full-control' }))
    await get(region().client, bucket)
    await put(clients.stranger, bucket, 'kept')
    await region().client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'kept' }))
  })

  it('count again for the version that replaced the one they were read of', async () => {
    const bucket = await withAcls()
    let isClosing = true
    await put(region().client, bucket, 'k', { ACL: 'public-read' })
    for (let attempt = 0; attempt < 20; attempt++) {
      const [status] = await Promise.all([fetched(bucket, 'k'), put(region().client, bucket, 'k', isClosing ? {} : { ACL: 'public-read' })])
      isClosing = !isClosing
      expect([200, 403]).toContain(status)
    }
  })
})

describe('each action for itself', () => {
  it('needs PutObjectTagging and PutObjectAcl beside PutObject', async () => {
    const bucket = await withAcls()
    await put(clients.writer, bucket)
    expect(await refusal(put(clients.writer, bucket, 'k', { Tagging: 'a=b' }))).toMatchObject(denied)
    expect(await refusal(put(clients.writer, bucket, 'k', { ACL: 'private' }))).toMatchObject(denied)
  })

  it('needs GetObject for If-Match, whose answer tells what is there', async () => {
    const bucket = await withAcls()
    await put(clients.writer, bucket, 'k', { IfNoneMatch: '*' })
    expect(await refusal(put(clients.writer, bucket, 'k', { IfMatch: '"guess"' }))).toMatchObject(denied)
  })

  it('judges the tags that stand in the body', async () => {
    const bucket = await withAcls()
    await put(region().client, bucket)
    const tag = (Value: string) => new PutObjectTaggingCommand({ Bucket: bucket, Key: 'k', Tagging: { TagSet: [{ Key: 'team', Value }] } })
    await clients.tagger.send(tag('blue'))
    expect(await refusal(clients.tagger.send(tag('red')))).toMatchObject(denied)
    expect(await refusal(clients.writer.send(tag('blue')))).toMatchObject(denied)
  })

  it('refuses some keys of a DeleteObjects and deletes the others', async () => {
    const bucket = await withAcls()
    const Objects = ['mine/a', 'theirs/a'].map((Key) => ({ Key }))
    const done = await clients.deleter.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }))
    expect(done.Deleted?.map(({ Key }) => Key)).toEqual(['mine/a'])
    expect(done.Errors).toMatchObject([{ Key: 'theirs/a', Code: 'AccessDenied' }])
  })

  it('asks for the source of a copy', async () => {
    const bucket = await withAcls()
    await put(region().client, bucket, 'open')
    await put(region().client, bucket, 'shut')
    const copy = (source: string) =>
      clients.copier.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource: `${bucket}/${source}` }))
    await copy('open')
    expect(await refusal(copy('shut'))).toMatchObject(denied)
    // Not even that it is missing.
    expect(await refusal(copy('none'))).toMatchObject(denied)
  })

  it('is kept within a permissions boundary', async () => {
    const bucket = await withAcls()
    await clients.bounded.send(new ListObjectsV2Command({ Bucket: bucket }))
    expect(await refusal(put(clients.bounded, bucket))).toMatchObject({
      ...denied,
      message: expect.stringContaining('because no permissions boundary allows the s3:PutObject action'),
    })
  })
})
