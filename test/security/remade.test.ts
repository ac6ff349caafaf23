/** Users and roles that are deleted and made anew under their names: nothing that was given to the first is the second's. */
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  GetRoleCommand,
  type IAMClient,
  ListRolesCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseBucketPolicy, readBucketPolicy } from '../../src/model/policy-bucket.ts'
import {
  allow,
  homeAccount,
  iamOf,
  type Keys,
  keysOf,
  newAccount,
  newRole,
  newUser,
  roleName,
  statements,
  stsOf,
  trusting,
} from '../iam/callers.ts'
import { newName, refusal, type TestNode, useDeployment } from '../support/deployment.ts'

const near = 'us-east-1'
const far = 'eu-west-1'
const regions = useDeployment({ regions: [near, far] })
const node = () => regions(near)

function clientOf(keys: Keys, at: TestNode = node()): S3Client {
  const requestHandler = { httpAgent: { keepAlive: false } }
  return new S3Client({ endpoint: at.endpoint, region: at.region, credentials: keys, forcePathStyle: true, maxAttempts: 1, requestHandler })
}

let guest: Awaited<ReturnType<typeof newAccount>>
beforeAll(async () => {
  guest = await newAccount(node())
})

const all = allow('*')

/** The same name and path, another user. */
async function remadeUser(
  iam: IAMClient,
  name: string,
  { AccessKeyId, Path = '/' }: { AccessKeyId: string; Path?: string },
): Promise<Keys> {
  const of = { UserName: name }
  await iam.send(new DeleteAccessKeyCommand({ ...of, AccessKeyId }))
  await iam.send(new DeleteUserPolicyCommand({ ...of, PolicyName: 'p' }))
  await iam.send(new DeleteUserCommand(of))
  await iam.send(new CreateUserCommand({ ...of, Path }))
  await iam.send(new PutUserPolicyCommand({ ...of, PolicyName: 'p', PolicyDocument: all }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand(of))
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
}

async function remadeRole(iam: IAMClient, arn: string, trust: string): Promise<void> {
  const RoleName = roleName(arn)
  await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' }))
  await iam.send(new DeleteRoleCommand({ RoleName }))
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }))
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: all }))
}

async function bucketFor(statement: (Bucket: string) => object, at: TestNode = node()) {
  const Bucket = newName()
  await at.s3.send(new CreateBucketCommand({ Bucket }))
  await at.s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
  const put = (Policy = policyFor(Bucket, statement(Bucket))) => at.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))
  await put()
  const policy = async () => (await at.s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy ?? ''
  const read = (keys: Keys) => clientOf(keys, at).send(new GetObjectCommand({ Bucket, Key: 'k' }))
  return { Bucket, put, policy, read }
}

const policyFor = (Bucket: string, statement: object) =>
  statements({ Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*`, ...statement })
const denied = { status: 403, code: 'AccessDenied' }

describe('a user of another account that a bucket policy names', () => {
  it.each([near, far])('is not the one of that name who comes after, in %s', async (region) => {
    const first = await newUser(node(), { by: guest.iam, policy: all })
    const bucket = await bucketFor(() => ({ Effect: 'Allow', Principal: { AWS: first.arn } }), regions(region))
    await bucket.read(first.keys)
    expect(await bucket.policy()).toContain(first.arn)
    const second = await remadeUser(guest.iam, first.name, { AccessKeyId: first.keys.accessKeyId })
    await expect.poll(async () => (await refusal(bucket.read(second))).code).toBe('AccessDenied')
    const shown = await bucket.policy()
    expect(shown).toMatch(/"AWS":"AIDA\w+"/)
    expect(shown).not.toContain(first.arn)
    // Who wants to give it to the new one says so; what is shown names nobody.
    expect(await refusal(bucket.put(shown))).toMatchObject({ status: 400, code: 'MalformedPolicy' })
    await bucket.put()
    await bucket.read(second)
    expect(await bucket.policy()).toContain(first.arn)
  })

  it('is himself under a path that looks like that of a federated user', async () => {
    const first = await newUser(node(), { by: guest.iam, policy: all })
    const Path = '/x:federated-user/'
    const keys = await remadeUser(guest.iam, first.name, { AccessKeyId: first.keys.accessKeyId, Path })
    const arn = `arn:aws:iam::${guest.accountId}:user${Path}${first.name}`
    const bucket = await bucketFor(() => ({ Effect: 'Allow', Principal: { AWS: arn } }))
    await bucket.read(keys)
    const second = await remadeUser(guest.iam, first.name, { AccessKeyId: keys.accessKeyId, Path })
    expect(await refusal(bucket.read(second))).toMatchObject(denied)
  })

  it('is not spared by NotPrincipal when he comes anew', async () => {
    const first = await newUser(node(), { policy: all })
    const principals = { AWS: [homeAccount, first.arn] }
    const bucket = await bucketFor(() => ({ Effect: 'Deny', NotPrincipal: principals }))
    await bucket.read(first.keys)
    const second = await remadeUser(iamOf(node()), first.name, { AccessKeyId: first.keys.accessKeyId })
    expect(await refusal(bucket.read(second))).toMatchObject(denied)
    expect(await bucket.policy()).toMatch(/"NotPrincipal":\{"AWS":\["\d{12}","AIDA\w+"\]\}/)
  })
})

describe('a role of another account that a bucket policy names', () => {
  const sessionOf = async (keys: Keys, RoleArn: string) => {
    const { Credentials } = await stsOf(node(), keys).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'same' }))
    return keysOf(Credentials)
  }

  it.each([
    ['by its ARN', (arn: string) => arn],
    ['by the ARN of a session', (arn: string) => `${arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/same`],
  ])('%s is not the one of that name that comes after', async (_, named) => {
    const trust = trusting(`arn:aws:iam::${guest.accountId}:root`)
    const arn = await newRole(node(), trust, { by: guest.iam })
    await guest.iam.send(new PutRolePolicyCommand({ RoleName: roleName(arn), PolicyName: 'p', PolicyDocument: all }))
    const user = await newUser(node(), { by: guest.iam, policy: all })
    const bucket = await bucketFor(() => ({ Effect: 'Allow', Principal: { AWS: named(arn) } }))
    await bucket.read(await sessionOf(user.keys, arn))
    await remadeRole(guest.iam, arn, trust)
    const session = await sessionOf(user.keys, arn)
    expect(await refusal(bucket.read(session))).toMatchObject(denied)
    expect(await bucket.policy()).toMatch(/"AWS":"AROA\w+"/)
    await bucket.put()
    await bucket.read(session)
  })
})

describe('a user that a trust policy names', () => {
  it('is not the one of that name who comes after', async () => {
    const first = await newUser(node(), { by: guest.iam, policy: all })
    const RoleArn = await newRole(node(), trusting(first.arn))
    const RoleName = roleName(RoleArn)
    const iam = iamOf(node())
    const assume = (keys: Keys) => stsOf(node(), keys).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }))
    const shown = async () => decodeURIComponent((await iam.send(new GetRoleCommand({ RoleName }))).Role?.AssumeRolePolicyDocument ?? '')
    await assume(first.keys)
    expect(await shown()).toBe(trusting(first.arn))
    const second = await remadeUser(guest.iam, first.name, { AccessKeyId: first.keys.accessKeyId })
    expect(await refusal(assume(second))).toMatchObject(denied)
    expect(await shown()).toMatch(/"AWS":"AIDA\w+"/)
    const { Roles = [] } = await iam.send(new ListRolesCommand({ MaxItems: 1000 }))
    const listed = Roles.find((role) => role.RoleName === RoleName)
    expect(decodeURIComponent(listed?.AssumeRolePolicyDocument ?? '')).toBe(await shown())
    const PolicyDocument = await shown()
    const update = new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument })
    expect(await refusal(iam.send(update))).toMatchObject({ code: 'MalformedPolicyDocumentException' })
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trusting(first.arn) }))
    await assume(second)
    const third = await remadeUser(guest.iam, first.name, { AccessKeyId: second.accessKeyId })
    expect(await refusal(assume(third))).toMatchObject(denied)
  })

  it('is whoever bears the name where the policy is older than unique ids', async () => {
    const user = await newUser(node(), { by: guest.iam, policy: all })
    const RoleArn = await newRole(node(), trusting(`arn:aws:iam::${guest.accountId}:root`))
    const of = { accountId: homeAccount, type: 'role', name: roleName(RoleArn) } as const
    await node().control.changeIdentities({ kind: 'editIdentity', of, edit: { kind: 'setTrustPolicy', document: trusting(user.arn) } })
    const keys = await remadeUser(guest.iam, user.name, { AccessKeyId: user.keys.accessKeyId })
    await stsOf(node(), keys).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }))
  })
})

describe('a principal that nobody is', () => {
  const nobodies = [
    ['a user', (account: string) => `arn:aws:iam::${account}:user/nobody-there`],
    ['a role', (account: string) => `arn:aws:iam::${account}:role/nobody-there`],
    ['a session of a role', (account: string) => `arn:aws:sts::${account}:assumed-role/nobody-there/session`],
    ['a user of an account that is none', () => 'arn:aws:iam::999999999999:user/nobody'],
  ] as const

  it.each(nobodies)('is refused in a bucket policy: %s', async (_, arn) => {
    const bucket = await bucketFor(() => ({ Effect: 'Deny', Principal: '*' }))
    const before = await bucket.policy()
    const Policy = policyFor(bucket.Bucket, { Effect: 'Allow', Principal: { AWS: [homeAccount, arn(homeAccount)] } })
    const message = expect.stringContaining('Invalid principal in policy')
    expect(await refusal(bucket.put(Policy))).toMatchObject({ status: 400, code: 'MalformedPolicy', message })
    expect(await bucket.policy()).toBe(before)
  })

  it.each([...nobodies, ['a group', (account: string) => `arn:aws:iam::${account}:group/people`] as const])(
    'is refused in a trust policy: %s',
    async (_, arn) => {
      const message = expect.stringContaining('Invalid principal in policy')
      expect(await refusal(newRole(node(), trusting(arn(homeAccount))))).toMatchObject({
        code: 'MalformedPolicyDocumentException',
        message,
      })
    },
  )

  it('is not the user of that name under another path', async () => {
    const user = await newUser(node())
    const arn = user.arn.replace(':user/', ':user/elsewhere/')
    expect(await refusal(newRole(node(), trusting(arn)))).toMatchObject({ code: 'MalformedPolicyDocumentException' })
  })

  it('is not an account, by its number or its root, nor everybody', async () => {
    for (const AWS of ['*', guest.accountId, `arn:aws:iam::${guest.accountId}:root`, '111111111111', 'arn:aws:iam::111111111111:root']) {
      const bucket = await bucketFor(() => ({ Effect: 'Deny', Principal: { AWS } }))
      expect(await bucket.policy()).toContain(AWS)
      await newRole(node(), trusting(AWS))
    }
  })

  it('is waited for when he was made in another region a moment ago', async () => {
    const bucket = await bucketFor(() => ({ Effect: 'Deny', Principal: '*' }), regions(far))
    for (let i = 0; i < 20; i += 1) {
      const { User } = await guest.iam.send(new CreateUserCommand({ UserName: newName('user') }))
      await bucket.put(policyFor(bucket.Bucket, { Effect: 'Allow', Principal: { AWS: User?.Arn } }))
    }
  })
})

describe('a bucket policy that is older than unique ids', () => {
  it('speaks of whoever bears an ARN', () => {
    const text = policyFor('b', { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${homeAccount}:user/u` } })
    expect(readBucketPolicy({ name: 'b', settings: { policy: text } })).toEqual(parseBucketPolicy(text, 'b'))
  })
})
