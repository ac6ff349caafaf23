import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  type STSClient,
} from '@aws-sdk/client-sts'
import { describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'
import { allow, homeAccount, iamOf, keysOf, newAccount, newRole, newUser, roleName, statements, stsOf, trusting } from './callers.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })
const root = () => iamOf(node())
const assume = (sts: STSClient, RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}) =>
  sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session', ...more }))
const denied = { code: expect.stringMatching(/^AccessDenied/), status: 403 }

describe('AssumeRole within an account', () => {
  it('is enough when the role names the user, and the session is the role in every region', async () => {
    const user = await newUser(node())
    const arn = await newRole(node(), trusting(user.arn))
    const { Credentials, AssumedRoleUser } = await assume(user.sts, arn)
    const sessionArn = `arn:aws:sts::${homeAccount}:assumed-role/${roleName(arn)}/session`
    expect(AssumedRoleUser).toEqual({ Arn: sessionArn, AssumedRoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}:session$/) })
    for (const region of ['us-east-1', 'eu-west-1']) {
      const who = await stsOf(node(region), keysOf(Credentials)).send(new GetCallerIdentityCommand({}))
      expect(who).toMatchObject({ Arn: sessionArn, Account: homeAccount, UserId: AssumedRoleUser?.AssumedRoleId })
    }
  })

  it.each([
    ['the account', homeAccount],
    ["the account's root", `arn:aws:iam::${homeAccount}:root`],
    ['everyone', '*'],
  ])('needs the permission of the user when the role names %s', async (_, principal) => {
    const arn = await newRole(node(), trusting(principal))
    const without = await newUser(node())
    expect(await refusal(assume(without.sts, arn))).toMatchObject({
      ...denied,
      message: expect.stringContaining(`User: ${without.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`),
    })
    const withIt = await newUser(node(), { policy: allow('sts:AssumeRole', arn) })
    await assume(withIt.sts, arn)
  })

  it('is refused to whom the role does not name, whatever the policies of the user say', async () => {
    const other = await newUser(node())
    const arn = await newRole(node(), trusting(other.arn))
    const user = await newUser(node(), { policy: allow('*') })
    expect(await refusal(assume(user.sts, arn))).toMatchObject(denied)
  })

  it('is refused by a Deny on either side', async () => {
    const user = await newUser(node(), { policy: statements({ Effect: 'Deny', Action: 'sts:*', Resource: '*' }) })
    expect(await refusal(assume(user.sts, await newRole(node(), trusting(user.arn))))).toMatchObject(denied)
    const allowed = await newUser(node(), { policy: allow('*') })
    const trust = statements(
      { Effect: 'Allow', Principal: { AWS: allowed.arn }, Action: 'sts:AssumeRole' },
      { Effect: 'Deny', Principal: { AWS: homeAccount }, Action: 'sts:AssumeRole' },
    )
    expect(await refusal(assume(allowed.sts, await newRole(node(), trust)))).toMatchObject(denied)
  })

  it('needs the external id that the role asks for', async () => {
    const user = await newUser(node())
    const arn = await newRole(node(), trusting(user.arn, { StringEquals: { 'sts:ExternalId': 'ticket-7' } }))
    await assume(user.sts, arn, { ExternalId: 'ticket-7' })
    expect(await refusal(assume(user.sts, arn, { ExternalId: 'ticket-8' }))).toMatchObject(denied)
    expect(await refusal(assume(user.sts, arn))).toMatchObject(denied)
  })

  it('says no more of a role that is not there than of one that trusts others', async () => {
    const user = await newUser(node(), { policy: allow('*') })
    const other = await newRole(node(), trusting((await newUser(node())).arn))
    const nobody = other.replace(roleName(other), newName('role'))
    const texts = await Promise.all([other, nobody].map(async (arn) => (await refusal(assume(user.sts, arn))).message.replace(arn, 'ARN')))
    expect(texts[0]).toBe(texts[1])
  })

  it('tells what is in the way: the policies of the user, or the trust policy of a role of the same account', async () => {
    const closed = await newRole(node(), trusting(homeAccount, { StringEquals: { 'sts:ExternalId': 'ticket-7' } }))
    const said = async (sts: STSClient, arn: string) => (await refusal(assume(sts, arn))).message.split(`${arn}`)[1]?.trim()
    expect(await said((await newUser(node())).sts, closed)).toBe('because no identity-based policy allows the sts:AssumeRole action')
    const user = await newUser(node(), { policy: allow('*') })
    expect(await said(user.sts, closed)).toBe('because no role trust policy allows the sts:AssumeRole action')
    const shut = statements({ Effect: 'Deny', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' })
    expect(await said(user.sts, await newRole(node(), shut))).toBe('with an explicit deny in the role trust policy')
  })

  it('is not for the root', async () => {
    const arn = await newRole(node(), trusting(homeAccount))
    expect(await refusal(assume(stsOf(node()), arn))).toMatchObject({ ...denied, message: 'Roles may not be assumed by root accounts.' })
  })

  it.each([
    ['shorter than 15 minutes', { DurationSeconds: 899 }],
    ["longer than the role's", { DurationSeconds: 7201 }],
    ['with a name of one letter', { RoleSessionName: 'a' }],
    ['with a slash in its name', { RoleSessionName: 'a/b' }],
    ['with a policy of 2,049 characters', { Policy: `${allow('*')}${' '.repeat(2048)}` }],
  ])('is refused for a session %s', async (_, wrong) => {
    const user = await newUser(node())
    const arn = await newRole(node(), trusting(user.arn), { MaxSessionDuration: 7200 })
    expect(await refusal(assume(user.sts, arn, wrong))).toMatchObject({ code: expect.stringContaining('ValidationError'), status: 400 })
  })

  it('gives at most an hour to a session of a role', async () => {
    const user = await newUser(node())
    const first = await newRole(node(), trusting(user.arn))
    const second = await newRole(node(), trusting(first), { MaxSessionDuration: 7200 })
    const sts = stsOf(node(), keysOf((await assume(user.sts, first)).Credentials))
    await assume(sts, second)
    expect(await refusal(assume(sts, second, { DurationSeconds: 7200 }))).toMatchObject({ status: 400 })
  })
})

describe('AssumeRole across accounts', () => {
  it('needs both: the role that names the account, and the permission of the user', async () => {
    const other = await newAccount(node())
    const arn = await newRole(node(), trusting(homeAccount), { by: other.iam })
    const user = await newUser(node())
    expect(await refusal(assume(user.sts, arn))).toMatchObject(denied)
    await root().send(new PutUserPolicyCommand({ UserName: user.name, PolicyName: 'p', PolicyDocument: allow('sts:AssumeRole', arn) }))
    const { Credentials } = await assume(user.sts, arn)
    const who = await stsOf(node(), keysOf(Credentials)).send(new GetCallerIdentityCommand({}))
    expect(who.Account).toBe(other.accountId)
  })

  it('is not enough that the role names the user', async () => {
    const other = await newAccount(node())
    const user = await newUser(node())
    const arn = await newRole(node(), trusting(user.arn), { by: other.iam })
    expect(await refusal(assume(user.sts, arn))).toMatchObject(denied)
  })

  it('is not enough that the user may', async () => {
    const other = await newAccount(node())
    const arn = await newRole(node(), trusting(other.accountId), { by: other.iam })
    const user = await newUser(node(), { policy: allow('*') })
    expect(await refusal(assume(user.sts, arn))).toMatchObject(denied)
  })

  it('tells nothing of a role of another account: neither why it trusts nobody, nor its tags, nor whether it is there', async () => {
    const other = await newAccount(node())
    const Tags = [{ Key: 'env', Value: 'prod' }]
    const tagged = await newRole(node(), trusting(other.accountId), { by: other.iam, Tags })
    const plain = await newRole(node(), trusting(other.accountId), { by: other.iam })
    const arns = [tagged, plain, plain.replace(roleName(plain), newName('role'))]
    const condition = { Condition: { StringEquals: { 'aws:ResourceTag/env': 'prod' } } }
    for (const policy of [allow('*'), allow('*', '*', condition)]) {
      const user = await newUser(node(), { policy })
      const texts = await Promise.all(arns.map(async (arn) => (await refusal(assume(user.sts, arn))).message.replace(arn, 'ARN')))
      expect(new Set(texts).size).toBe(1)
      const isOpen = policy === allow('*')
      expect(texts[0]?.endsWith(isOpen ? 'on resource: ARN' : 'because no identity-based policy allows the sts:AssumeRole action')).toBe(
        true,
      )
    }
  })
})

describe('a session of a role', () => {
  const begin = async (more: Partial<AssumeRoleCommandInput> = {}) => {
    const user = await newUser(node())
    const arn = await newRole(node(), trusting(user.arn))
    await root().send(new PutRolePolicyCommand({ RoleName: roleName(arn), PolicyName: 'p', PolicyDocument: allow('iam:*') }))
    const answer = await assume(user.sts, arn, more)
    return { arn, answer, keys: keysOf(answer.Credentials) }
  }

  it('may what the role may, as that stands', async () => {
    const { arn, keys } = await begin()
    await iamOf(node(), keys).send(new ListUsersCommand({ MaxItems: 1 }))
    await root().send(new DeleteRolePolicyCommand({ RoleName: roleName(arn), PolicyName: 'p' }))
    expect(await refusal(iamOf(node(), keys).send(new ListUsersCommand({})))).toMatchObject(denied)
    await root().send(new AttachRolePolicyCommand({ RoleName: roleName(arn), PolicyArn: 'arn:aws:iam::aws:policy/IAMReadOnlyAccess' }))
    await iamOf(node(), keys).send(new ListUsersCommand({ MaxItems: 1 }))
  })

  it('may no more than its session policy', async () => {
    const { answer, keys } = await begin({ Policy: allow('s3:*') })
    expect(answer.PackedPolicySize).toBeGreaterThan(0)
    expect(await refusal(iamOf(node(), keys).send(new ListUsersCommand({})))).toMatchObject(denied)
    const arns = await begin({ PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/AmazonS3FullAccess' }] })
    expect(await refusal(iamOf(node(), arns.keys).send(new ListUsersCommand({})))).toMatchObject(denied)
  })

  it('ends with the role, and does not come back with another of its name', async () => {
    const { arn, keys } = await begin()
    const RoleName = roleName(arn)
    const ask = () => stsOf(node(), keys).send(new GetCallerIdentityCommand({}))
    await ask()
    await root().send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' }))
    await root().send(new DeleteRoleCommand({ RoleName }))
    expect((await refusal(ask())).status).toBe(403)
    await root().send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trusting(homeAccount) }))
    expect((await refusal(ask())).status).toBe(403)
  })

  it('is nothing without its token, or with another one', async () => {
    const { keys } = await begin()
    const { sessionToken: _, ...bare } = keys
    const other = await begin()
    for (const wrong of [
      bare,
      { ...keys, sessionToken: other.keys.sessionToken ?? '' },
      { ...keys, sessionToken: `${keys.sessionToken}A` },
    ]) {
      const { status } = await refusal(stsOf(node(), wrong).send(new GetCallerIdentityCommand({})))
      expect([400, 403]).toContain(status)
    }
  })

  it('cannot ask for credentials of a user', async () => {
    const { keys } = await begin()
    expect(await refusal(stsOf(node(), keys).send(new GetSessionTokenCommand({})))).toMatchObject(denied)
    expect(await refusal(stsOf(node(), keys).send(new GetFederationTokenCommand({ Name: 'other' })))).toMatchObject(denied)
  })
})

describe('GetSessionToken', () => {
  it('gives the user credentials that are the user, and that may assume roles', async () => {
    const user = await newUser(node())
    const { Credentials } = await user.sts.send(new GetSessionTokenCommand({ DurationSeconds: 900 }))
    const sts = stsOf(node(), keysOf(Credentials))
    expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(user.arn)
    await assume(sts, await newRole(node(), trusting(user.arn)))
    expect(await refusal(sts.send(new GetSessionTokenCommand({})))).toMatchObject(denied)
  })
})

describe('GetFederationToken', () => {
  it('makes a federated user, who may call nothing but GetCallerIdentity', async () => {
    const user = await newUser(node(), { policy: allow('*') })
    const answer = await user.sts.send(new GetFederationTokenCommand({ Name: 'guest', Policy: allow('*') }))
    const arn = `arn:aws:sts::${homeAccount}:federated-user/guest`
    expect(answer.FederatedUser).toEqual({ Arn: arn, FederatedUserId: `${homeAccount}:guest` })
    const keys = keysOf(answer.Credentials)
    expect((await stsOf(node(), keys).send(new GetCallerIdentityCommand({}))).Arn).toBe(arn)
    expect(await refusal(iamOf(node(), keys).send(new ListUsersCommand({})))).toMatchObject({ code: 'InvalidClientTokenId' })
    expect(await refusal(assume(stsOf(node(), keys), await newRole(node(), trusting('*'))))).toMatchObject(denied)
  })
})
