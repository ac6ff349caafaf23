/** Multipart uploads of one account in a bucket of another: whose they are, and who may do what with them. */
import { PutRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeletePublicAccessBlockCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { beforeAll, describe, expect, it } from 'vitest'
import { allow, type Keys, keysOf, newAccount, newRole, newUser, statements, type TestUser, trusting } from '../iam/callers.ts'
import { account, credentials, newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()
const put = ['s3:PutObject', 's3:GetObject']
type Account = Awaited<ReturnType<typeof newAccount>>

function clientOf(keys: Keys): S3Client {
  const { endpoint, region } = node()
  const requestHandler = { httpAgent: { keepAlive: false } }
  return new S3Client({ endpoint, region, credentials: keys, forcePathStyle: true, maxAttempts: 1, requestHandler })
}

async function policy(Bucket: string, ...list: readonly object[]): Promise<void> {
  const Resource = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`]
  const Policy = statements(...list.map((statement) => ({ Resource, ...statement })))
  await node().s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))
}

/** A bucket with ACLs, into which users of two other accounts may put. */
async function shared(): Promise<{ Bucket: string; Key: string }> {
  const Bucket = newName()
  await node().s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: 'ObjectWriter' }))
  await policy(Bucket, { Effect: 'Allow', Principal: { AWS: [guest.arn, sibling.arn, stranger.arn] }, Action: put })
  return { Bucket, Key: 'k' }
}

let host: Account
let guest: TestUser
let sibling: TestUser
let stranger: TestUser
beforeAll(async () => {
  host = await newAccount(node())
  const other = await newAccount(node())
  const all = allow('s3:*')
  guest = await newUser(node(), { by: host.iam, policy: all })
  sibling = await newUser(node(), { by: host.iam, policy: all })
  stranger = await newUser(node(), { by: other.iam, policy: all })
})

async function begun(client: S3Client, at?: { Bucket: string; Key: string }) {
  const { Bucket, Key } = at ?? (await shared())
  const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'mine' }))
  return { upload: { Bucket, Key, UploadId }, parts: { MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } } }
}

describe('an upload in the bucket of another account', () => {
  const others = [
    ['somebody of a third account, who may put there too', () => stranger],
    ["another user of the initiator's account", () => sibling],
  ] as const

  it.each(others)('takes no parts from %s', async (_, who) => {
    const { upload } = await begun(clientOf(guest.keys))
    const client = clientOf(who().keys)
    await client.send(new PutObjectCommand({ Bucket: upload.Bucket, Key: 'source', Body: 'theirs' }))
    const part = new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'theirs' })
    expect(await refusal(client.send(part))).toMatchObject({ status: 403, code: 'AccessDenied' })
    const copy = new UploadPartCopyCommand({ ...upload, PartNumber: 1, CopySource: `${upload.Bucket}/source` })
    expect(await refusal(client.send(copy))).toMatchObject({ status: 403, code: 'AccessDenied' })
    const { Parts } = await clientOf(guest.keys).send(new ListPartsCommand(upload))
    expect(Parts?.map(({ Size }) => Size)).toEqual([4])
  })

  it.each(others)('is not completed by %s, nor is its answer told again', async (_, who) => {
    const { upload, parts } = await begun(clientOf(guest.keys))
    const complete = new CompleteMultipartUploadCommand({ ...upload, ...parts })
    expect(await refusal(clientOf(who().keys).send(complete))).toMatchObject({ status: 403, code: 'AccessDenied' })
    const done = await clientOf(guest.keys).send(new CompleteMultipartUploadCommand({ ...upload, ...parts }))
    const again = new CompleteMultipartUploadCommand({ ...upload, ...parts })
    expect((await clientOf(guest.keys).send(again)).ETag).toBe(done.ETag)
    const told = new CompleteMultipartUploadCommand({ ...upload, ...parts })
    expect(await refusal(clientOf(who().keys).send(told))).toMatchObject({ status: 403, code: 'AccessDenied' })
  })

  it('is not listed or ended by somebody else without the permission for it', async () => {
    const { upload } = await begun(clientOf(guest.keys))
    const client = clientOf(stranger.keys)
    expect(await refusal(client.send(new ListPartsCommand(upload)))).toMatchObject({ status: 403, code: 'AccessDenied' })
    expect(await refusal(client.send(new AbortMultipartUploadCommand(upload)))).toMatchObject({ status: 403, code: 'AccessDenied' })
    // Whether it is there or not.
    const none = { ...upload, UploadId: upload.UploadId.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }
    expect(await refusal(client.send(new AbortMultipartUploadCommand(none)))).toMatchObject({ status: 403, code: 'AccessDenied' })
    await policy(upload.Bucket, { Effect: 'Allow', Principal: { AWS: stranger.arn }, Action: 's3:AbortMultipartUpload' })
    await client.send(new AbortMultipartUploadCommand(upload))
  })

  it('is listed and ended by its initiator without a permission, but not against a Deny', async () => {
    const { upload } = await begun(clientOf(guest.keys))
    const client = clientOf(guest.keys)
    expect((await client.send(new ListPartsCommand(upload))).Initiator?.ID).toBe(guest.arn)
    const actions = ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts']
    await policy(upload.Bucket, { Effect: 'Deny', Principal: '*', Action: actions })
    expect(await refusal(client.send(new ListPartsCommand(upload)))).toMatchObject({ status: 403, code: 'AccessDenied' })
    expect(await refusal(client.send(new AbortMultipartUploadCommand(upload)))).toMatchObject({ status: 403, code: 'AccessDenied' })
    await policy(upload.Bucket, { Effect: 'Allow', Principal: { AWS: guest.arn }, Action: 's3:PutObject' })
    await client.send(new AbortMultipartUploadCommand(upload))
  })

  it("is ended by the root of the initiator's account, and by the account of the bucket", async () => {
    const first = await begun(clientOf(guest.keys))
    await clientOf(host.keys).send(new AbortMultipartUploadCommand(first.upload))
    const second = await begun(clientOf(guest.keys))
    await node().s3.send(new AbortMultipartUploadCommand(second.upload))
  })

  it('needs the permission to put until its end', async () => {
    const { upload, parts } = await begun(clientOf(guest.keys))
    await policy(upload.Bucket, { Effect: 'Allow', Principal: { AWS: stranger.arn }, Action: put })
    const client = clientOf(guest.keys)
    const part = new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'late' })
    expect(await refusal(client.send(part))).toMatchObject({ status: 403, code: 'AccessDenied' })
    const complete = new CompleteMultipartUploadCommand({ ...upload, ...parts })
    expect(await refusal(client.send(complete))).toMatchObject({ status: 403, code: 'AccessDenied' })
  })

  it("becomes an object of the initiator's account, also when the account of the bucket completes it", async () => {
    const { upload, parts } = await begun(clientOf(guest.keys))
    await node().s3.send(new CompleteMultipartUploadCommand({ ...upload, ...parts }))
    const address = { Bucket: upload.Bucket, Key: upload.Key }
    const { Owner } = await clientOf(guest.keys).send(new GetObjectAclCommand(address))
    expect(Owner?.ID).not.toBe(account.canonicalId)
    // The account of the bucket does not read what is not its own.
    expect(await refusal(node().s3.send(new GetObjectCommand(address)))).toMatchObject({ code: 'AccessDenied' })
  })
})

describe('an upload of a role', () => {
  it('goes on in its next session, and not in a session of another role', async () => {
    const at = await shared()
    const trust = trusting(`arn:aws:iam::${host.accountId}:root`)
    const roles = [await newRole(node(), trust, { by: host.iam }), await newRole(node(), trust, { by: host.iam })]
    await policy(at.Bucket, { Effect: 'Allow', Principal: { AWS: roles }, Action: put })
    const user = await newUser(node(), { by: host.iam, policy: allow('sts:AssumeRole') })
    const session = async (RoleArn: string | undefined, RoleSessionName: string) => {
      const { Credentials } = await user.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName, Policy: allow('s3:*') }))
      return clientOf(keysOf(Credentials))
    }
    for (const arn of roles) {
      const RoleName = arn.slice(arn.lastIndexOf('/') + 1)
      await host.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: allow(put) }))
    }
    const { upload } = await begun(await session(roles[0], 'first'), at)
    await (await session(roles[0], 'next')).send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'on' }))
    const another = (await session(roles[1], 'first')).send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'off' }))
    expect(await refusal(another)).toMatchObject({ status: 403, code: 'AccessDenied' })
  })
})

describe('an upload in a bucket of the own account', () => {
  it('is ended by its initiator, and fed by whoever of the account may put', async () => {
    const Bucket = newName()
    await node().s3.send(new CreateBucketCommand({ Bucket }))
    const user = await newUser(node(), { policy: allow('s3:PutObject') })
    const { upload } = await begun(clientOf(user.keys), { Bucket, Key: 'k' })
    await clientOf(user.keys).send(new AbortMultipartUploadCommand(upload))
    const second = await begun(clientOf(user.keys), { Bucket, Key: 'k' })
    const other = await newUser(node(), { policy: allow('s3:PutObject') })
    const abort = new AbortMultipartUploadCommand(second.upload)
    expect(await refusal(clientOf(other.keys).send(abort))).toMatchObject({ status: 403, code: 'AccessDenied' })
    // Within the account of the bucket whoever may put may also add.
    await clientOf(other.keys).send(new UploadPartCommand({ ...second.upload, PartNumber: 2, Body: 'ours' }))
  })
})

describe('anonymous uploads', () => {
  it('are not begun in a bucket that is open to everybody, and take no parts', async () => {
    const Bucket = newName()
    await node().s3.send(new CreateBucketCommand({ Bucket }))
    await node().s3.send(new DeletePublicAccessBlockCommand({ Bucket }))
    await policy(Bucket, { Effect: 'Allow', Principal: '*', Action: put })
    const begin = await node().raw({ method: 'POST', path: `/${Bucket}/k?uploads`, signed: false })
    expect([begin.status, begin.element('Code')]).toEqual([403, 'AccessDenied'])
    const { upload } = await begun(clientOf(credentials), { Bucket, Key: 'k' })
    const path = `/${Bucket}/k?partNumber=1&uploadId=${upload.UploadId}`
    const part = await node().raw({ method: 'PUT', path, body: 'anybody', signed: false })
    expect([part.status, part.element('Code')]).toEqual([403, 'AccessDenied'])
  })
})
