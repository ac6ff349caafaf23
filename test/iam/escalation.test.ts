import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  GetUserCommand,
  ListUsersCommand,
  PutGroupPolicyCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  SetDefaultPolicyVersionCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleCommand, GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'
import { allow, homeAccount, iamOf, keysOf, newRole, newUser, roleName, statements, trusting } from './callers.ts'

const node = useDeployment()
const root = () => iamOf(node())
const administrator = 'arn:aws:iam::aws:policy/AdministratorAccess'
const denied = (action: string) => ({
  code: expect.stringMatching(/^AccessDenied/),
  status: 403,
  message: expect.stringContaining(`is not authorized to perform: ${action} on resource: `),
})

describe('a user who may only read objects', async () => {
  const attempts: readonly (readonly [string, (me: string, made: { group: string; role: string; policy: string }) => object])[] = [
    ['iam:PutUserPolicy', (UserName) => new PutUserPolicyCommand({ UserName, PolicyName: 'x', PolicyDocument: allow('*') })],
    ['iam:AttachUserPolicy', (UserName) => new AttachUserPolicyCommand({ UserName, PolicyArn: administrator })],
    ['iam:DetachUserPolicy', (UserName) => new DetachUserPolicyCommand({ UserName, PolicyArn: administrator })],
    ['iam:DeleteUserPolicy', (UserName) => new DeleteUserPolicyCommand({ UserName, PolicyName: 'p' })],
    ['iam:CreateAccessKey', () => new CreateAccessKeyCommand({})],
    ['iam:CreateAccessKey', (UserName) => new CreateAccessKeyCommand({ UserName })],
    ['iam:CreateUser', () => new CreateUserCommand({ UserName: newName('user') })],
    ['iam:CreateGroup', () => new CreateGroupCommand({ GroupName: newName('group') })],
    ['iam:AddUserToGroup', (UserName, { group }) => new AddUserToGroupCommand({ UserName, GroupName: group })],
    ['iam:PutGroupPolicy', (_, { group }) => new PutGroupPolicyCommand({ GroupName: group, PolicyName: 'x', PolicyDocument: allow('*') })],
    ['iam:AttachGroupPolicy', (_, { group }) => new AttachGroupPolicyCommand({ GroupName: group, PolicyArn: administrator })],
    ['iam:CreateRole', () => new CreateRoleCommand({ RoleName: newName('role'), AssumeRolePolicyDocument: trusting('*') })],
    ['iam:UpdateAssumeRolePolicy', (_, { role }) => new UpdateAssumeRolePolicyCommand({ RoleName: role, PolicyDocument: trusting('*') })],
    ['iam:PutRolePolicy', (_, { role }) => new PutRolePolicyCommand({ RoleName: role, PolicyName: 'x', PolicyDocument: allow('*') })],
    ['iam:AttachRolePolicy', (_, { role }) => new AttachRolePolicyCommand({ RoleName: role, PolicyArn: administrator })],
    ['iam:CreatePolicy', () => new CreatePolicyCommand({ PolicyName: newName('policy'), PolicyDocument: allow('*') })],
    [
      'iam:CreatePolicyVersion',
      (_, { policy }) => new CreatePolicyVersionCommand({ PolicyArn: policy, PolicyDocument: allow('*'), SetAsDefault: true }),
    ],
    ['iam:SetDefaultPolicyVersion', (_, { policy }) => new SetDefaultPolicyVersionCommand({ PolicyArn: policy, VersionId: 'v1' })],
    [
      'iam:PutUserPermissionsBoundary',
      (UserName) => new PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary: administrator }),
    ],
    ['iam:DeleteUserPermissionsBoundary', (UserName) => new DeleteUserPermissionsBoundaryCommand({ UserName })],
    ['iam:GetUser', () => new GetUserCommand({})],
    ['iam:ListUsers', () => new ListUsersCommand({})],
  ]

  it.each(attempts)('may not raise itself by %s', async (action, command) => {
    const user = await newUser(node(), { policy: allow('s3:GetObject') })
    const group = newName('group')
    await root().send(new CreateGroupCommand({ GroupName: group }))
    const role = roleName(await newRole(node(), trusting(user.arn)))
    const { Policy } = await root().send(new CreatePolicyCommand({ PolicyName: newName('policy'), PolicyDocument: allow('s3:GetObject') }))
    const made = command(user.name, { group, role, policy: Policy?.Arn ?? '' })
    // Each is a command of the one client, of another type.
    expect(await refusal(user.iam.send(made as GetUserCommand))).toMatchObject(denied(action))
  })

  it('may not get credentials for somebody else', async () => {
    const user = await newUser(node(), { policy: allow('s3:GetObject') })
    const federation = user.sts.send(new GetFederationTokenCommand({ Name: 'other', Policy: allow('*') }))
    expect(await refusal(federation)).toMatchObject(denied('sts:GetFederationToken'))
    const RoleArn = await newRole(node(), trusting(homeAccount))
    const role = user.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }))
    expect(await refusal(role)).toMatchObject(denied('sts:AssumeRole'))
  })

  it('is not told whether the one that it asks about is there', async () => {
    const user = await newUser(node(), { policy: allow('s3:GetObject') })
    const other = await newUser(node())
    const texts = await Promise.all(
      [other.name, newName('user')].map(async (UserName) => {
        const { message } = await refusal(user.iam.send(new GetUserCommand({ UserName })))
        return message.replace(UserName, 'NAME')
      }),
    )
    expect(texts[0]).toBe(texts[1])
  })
})

describe('a permission', () => {
  it('for one user is none for another', async () => {
    const other = await newUser(node())
    const me = await newUser(node(), { policy: allow('iam:GetUser', `arn:aws:iam::${homeAccount}:user/\${aws:username}`) })
    expect((await me.iam.send(new GetUserCommand({}))).User?.UserName).toBe(me.name)
    expect(await refusal(me.iam.send(new GetUserCommand({ UserName: other.name })))).toMatchObject(denied('iam:GetUser'))
  })

  it('to attach one policy is none to attach another', async () => {
    const condition = { Condition: { ArnEquals: { 'iam:PolicyARN': 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' } } }
    const me = await newUser(node(), { policy: allow('iam:AttachUserPolicy', '*', condition) })
    await me.iam.send(new AttachUserPolicyCommand({ UserName: me.name, PolicyArn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' }))
    const more = me.iam.send(new AttachUserPolicyCommand({ UserName: me.name, PolicyArn: administrator }))
    expect(await refusal(more)).toMatchObject(denied('iam:AttachUserPolicy'))
  })

  it('to make users within a boundary makes none without it', async () => {
    const boundary = 'arn:aws:iam::aws:policy/AmazonS3FullAccess'
    const condition = { Condition: { StringEquals: { 'iam:PermissionsBoundary': boundary } } }
    const me = await newUser(node(), { policy: allow('iam:CreateUser', '*', condition) })
    await me.iam.send(new CreateUserCommand({ UserName: newName('user'), PermissionsBoundary: boundary }))
    expect(await refusal(me.iam.send(new CreateUserCommand({ UserName: newName('user') })))).toMatchObject(denied('iam:CreateUser'))
  })

  it('to make a user is none to tag it', async () => {
    const me = await newUser(node(), { policy: allow('iam:CreateUser') })
    const tagged = me.iam.send(new CreateUserCommand({ UserName: newName('user'), Tags: [{ Key: 'team', Value: 'admins' }] }))
    expect(await refusal(tagged)).toMatchObject(denied('iam:TagUser'))
  })

  it('is nothing outside the boundary, nor against a Deny', async () => {
    const bound = await newUser(node(), { attached: administrator })
    await root().send(
      new PutUserPermissionsBoundaryCommand({ UserName: bound.name, PermissionsBoundary: 'arn:aws:iam::aws:policy/AmazonS3FullAccess' }),
    )
    expect(await refusal(bound.iam.send(new ListUsersCommand({})))).toMatchObject(denied('iam:ListUsers'))
    const policy = statements({ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: 'iam:Create*', Resource: '*' })
    const denies = await newUser(node(), { policy })
    await denies.iam.send(new ListUsersCommand({}))
    const making = await refusal(denies.iam.send(new CreateUserCommand({ UserName: newName('user') })))
    expect(making.message).toContain('with an explicit deny')
  })

  it('comes with a group, and goes with it', async () => {
    const me = await newUser(node())
    const GroupName = newName('group')
    await root().send(new CreateGroupCommand({ GroupName }))
    await root().send(new AttachGroupPolicyCommand({ GroupName, PolicyArn: administrator }))
    expect(await refusal(me.iam.send(new ListUsersCommand({})))).toMatchObject(denied('iam:ListUsers'))
    await root().send(new AddUserToGroupCommand({ GroupName, UserName: me.name }))
    await me.iam.send(new ListUsersCommand({ MaxItems: 1 }))
  })
})

describe('credentials of GetSessionToken', () => {
  it('call neither IAM nor STS for more of their kind, whatever the user may', async () => {
    const me = await newUser(node(), { attached: administrator })
    const keys = keysOf((await me.sts.send(new GetSessionTokenCommand({}))).Credentials)
    expect(await refusal(iamOf(node(), keys).send(new ListUsersCommand({})))).toMatchObject({ code: 'InvalidClientTokenId', status: 403 })
  })
})
