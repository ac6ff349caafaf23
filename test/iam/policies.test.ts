import {
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DetachUserPolicyCommand,
  GetAccountAuthorizationDetailsCommand,
  GetAccountSummaryCommand,
  GetGroupPolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  ListAccountAliasesCommand,
  ListAttachedUserPoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListUserPoliciesCommand,
  ListUsersCommand,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  SetDefaultPolicyVersionCommand,
  SimulateCustomPolicyCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam'
import { describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'
import { allow, homeAccount, iamOf, newAccount, newRole, newUser, roleName, statements, trusting } from './callers.ts'

const node = useDeployment()
const root = () => iamOf(node())

async function newPolicy(document = allow('s3:GetObject'), by = root()): Promise<string> {
  const { Policy } = await by.send(new CreatePolicyCommand({ PolicyName: newName('policy'), PolicyDocument: document, Path: '/team/' }))
  return Policy?.Arn ?? ''
}

describe('a managed policy', () => {
  it('is answered with its use, and is listed by scope', async () => {
    const PolicyArn = await newPolicy()
    const user = await newUser(node(), { attached: PolicyArn })
    expect((await root().send(new GetPolicyCommand({ PolicyArn }))).Policy).toMatchObject({
      Arn: PolicyArn,
      Path: '/team/',
      PolicyId: expect.stringMatching(/^ANPA/),
      DefaultVersionId: 'v1',
      AttachmentCount: 1,
      IsAttachable: true,
    })
    const arns = async (input: object) => ((await root().send(new ListPoliciesCommand(input))).Policies ?? []).map(({ Arn }) => Arn)
    expect(await arns({ Scope: 'Local', OnlyAttached: true })).toContain(PolicyArn)
    expect(await arns({ Scope: 'AWS' })).toContain('arn:aws:iam::aws:policy/AdministratorAccess')
    expect(await arns({ Scope: 'AWS' })).not.toContain(PolicyArn)
    await root().send(new DetachUserPolicyCommand({ UserName: user.name, PolicyArn }))
    expect(await arns({ Scope: 'Local', OnlyAttached: true })).not.toContain(PolicyArn)
  })

  it('has up to five versions, one of them the default, which cannot be deleted', async () => {
    const PolicyArn = await newPolicy()
    for (const n of [2, 3, 4, 5]) {
      const command = new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow(`s3:Get${n}`), SetAsDefault: n === 3 })
      expect((await root().send(command)).PolicyVersion).toMatchObject({ VersionId: `v${n}`, IsDefaultVersion: n === 3 })
    }
    const sixth = root().send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow('s3:*') }))
    expect(await refusal(sixth)).toMatchObject({ code: 'LimitExceededException', status: 409 })
    const remove = (VersionId: string) => root().send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }))
    expect(await refusal(remove('v3'))).toMatchObject({ code: 'DeleteConflictException' })
    await root().send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: 'v5' }))
    await remove('v3')
    expect(await refusal(remove('v3'))).toMatchObject({ code: 'NoSuchEntityException' })
    const { Versions } = await root().send(new ListPolicyVersionsCommand({ PolicyArn }))
    expect(Versions?.map(({ VersionId }) => VersionId)).toEqual(['v5', 'v4', 'v2', 'v1'])
    const { PolicyVersion } = await root().send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v5' }))
    expect(decodeURIComponent(PolicyVersion?.Document ?? '')).toBe(allow('s3:Get5'))
    const { PolicyVersion: next } = await root().send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow('s3:*') }))
    expect(next?.VersionId).toBe('v6')
  })

  it('gives and takes permissions at once as its default version changes', async () => {
    const PolicyArn = await newPolicy(allow('iam:ListUsers'))
    const { iam } = await newUser(node(), { attached: PolicyArn })
    const list = () => iam.send(new ListUsersCommand({ MaxItems: 1 }))
    await list()
    await root().send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow('s3:*'), SetAsDefault: true }))
    expect((await refusal(list())).status).toBe(403)
    await root().send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: 'v1' }))
    await list()
  })

  it('stays while it is attached, and names whom', async () => {
    const PolicyArn = await newPolicy()
    const user = await newUser(node(), { attached: PolicyArn })
    const GroupName = newName('group')
    await root().send(new CreateGroupCommand({ GroupName }))
    await root().send(new AttachGroupPolicyCommand({ GroupName, PolicyArn }))
    const RoleName = roleName(await newRole(node(), trusting(homeAccount)))
    await root().send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
    expect(await refusal(root().send(new DeletePolicyCommand({ PolicyArn })))).toMatchObject({ code: 'DeleteConflictException' })
    expect(await root().send(new ListEntitiesForPolicyCommand({ PolicyArn }))).toMatchObject({
      PolicyUsers: [{ UserName: user.name }],
      PolicyGroups: [{ GroupName }],
      PolicyRoles: [{ RoleName }],
    })
    const first = await root().send(new ListEntitiesForPolicyCommand({ PolicyArn, MaxItems: 2 }))
    expect(first.IsTruncated).toBe(true)
    const rest = await root().send(new ListEntitiesForPolicyCommand({ PolicyArn, MaxItems: 2, Marker: first.Marker }))
    expect([rest.IsTruncated, rest.PolicyUsers?.length]).toEqual([false, 1])
  })

  it('is counted wherever it is used, as far as the account that asks uses it', async () => {
    const PolicyArn = await newPolicy()
    const aws = 'arn:aws:iam::aws:policy/IAMReadOnlyAccess'
    const other = await newAccount(node())
    await newUser(node(), { by: other.iam, attached: aws })
    const counts = async (arn: string, by = root()) => {
      const { Policy } = await by.send(new GetPolicyCommand({ PolicyArn: arn }))
      const { Policies = [] } = await by.send(new ListPoliciesCommand({ MaxItems: 1000 }))
      const listed = Policies.find((one) => one.Arn === arn)
      expect(listed).toMatchObject({
        AttachmentCount: Policy?.AttachmentCount,
        PermissionsBoundaryUsageCount: Policy?.PermissionsBoundaryUsageCount,
      })
      return [Policy?.AttachmentCount, Policy?.PermissionsBoundaryUsageCount]
    }
    const before = await counts(aws)
    expect(await counts(aws, other.iam)).toEqual([1, 0])
    expect(await counts(PolicyArn)).toEqual([0, 0])
    const users = await Promise.all([newUser(node(), { attached: PolicyArn }), newUser(node(), { attached: PolicyArn })])
    for (const { name: UserName } of users) {
      await root().send(new PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary: PolicyArn }))
    }
    const [first] = users
    await root().send(new DetachUserPolicyCommand({ UserName: first.name, PolicyArn }))
    expect(await counts(PolicyArn)).toEqual([1, 2])
    expect(await counts(aws)).toEqual(before)
    const bounded = new ListEntitiesForPolicyCommand({ PolicyArn, PolicyUsageFilter: 'PermissionsBoundary', EntityFilter: 'User' })
    const names = users.map(({ name }) => name).sort()
    expect((await root().send(bounded)).PolicyUsers?.map(({ UserName }) => UserName)).toEqual(names)
  })

  it('of another account cannot be attached, read or changed', async () => {
    const other = await newAccount(node())
    const PolicyArn = await newPolicy(allow('*'), other.iam)
    const user = await newUser(node())
    for (const call of [
      root().send(new AttachUserPolicyCommand({ UserName: user.name, PolicyArn })),
      root().send(new GetPolicyCommand({ PolicyArn })),
      root().send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow('*') })),
    ]) {
      expect(await refusal(call)).toMatchObject({ code: 'NoSuchEntityException', status: 404 })
    }
  })

  it.each([
    ['no JSON', '{'],
    ['a principal', statements({ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' })],
    ['no resource', statements({ Effect: 'Allow', Action: '*' })],
  ])('is refused with %s', async (_, PolicyDocument) => {
    const made = root().send(new CreatePolicyCommand({ PolicyName: newName('policy'), PolicyDocument }))
    expect(await refusal(made)).toMatchObject({ code: 'MalformedPolicyDocumentException', status: 400 })
  })

  it("that is AWS's own is the same for everybody", async () => {
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
    for (const call of [
      root().send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow('s3:*'), SetAsDefault: true })),
      root().send(new DeletePolicyCommand({ PolicyArn })),
    ]) {
      expect((await refusal(call)).status).toBe(400)
    }
  })

  it('is attached ten times at most to one user, and listed there in pages', async () => {
    const { name: UserName } = await newUser(node())
    const arns = await Promise.all(Array.from({ length: 11 }, () => newPolicy()))
    for (const PolicyArn of arns.slice(0, 10)) await root().send(new AttachUserPolicyCommand({ UserName, PolicyArn }))
    const more = root().send(new AttachUserPolicyCommand({ UserName, PolicyArn: arns[10] }))
    expect(await refusal(more)).toMatchObject({ code: 'LimitExceededException', message: 'Cannot exceed quota for PoliciesPerUser: 10' })
    const page = await root().send(new ListAttachedUserPoliciesCommand({ UserName, MaxItems: 6 }))
    const rest = await root().send(new ListAttachedUserPoliciesCommand({ UserName, MaxItems: 6, Marker: page.Marker }))
    const listed = [...(page.AttachedPolicies ?? []), ...(rest.AttachedPolicies ?? [])].map(({ PolicyArn }) => PolicyArn)
    expect(listed).toEqual(arns.slice(0, 10).sort())
  })
})

describe('an inline policy', () => {
  it('of a group reads as it was put, also under a name of every object', async () => {
    const GroupName = newName('group')
    await root().send(new CreateGroupCommand({ GroupName }))
    for (const PolicyName of ['constructor', '__proto__']) {
      const get = () => root().send(new GetGroupPolicyCommand({ GroupName, PolicyName }))
      expect(await refusal(get())).toMatchObject({ code: 'NoSuchEntityException' })
      await root().send(new PutGroupPolicyCommand({ GroupName, PolicyName, PolicyDocument: allow('s3:*') }))
      expect(decodeURIComponent((await get()).PolicyDocument ?? '')).toBe(allow('s3:*'))
    }
  })

  it('of a user is listed by its name', async () => {
    const { name: UserName } = await newUser(node(), { policy: allow('s3:*') })
    expect((await root().send(new ListUserPoliciesCommand({ UserName }))).PolicyNames).toEqual(['p'])
  })
})

describe('a simulation', () => {
  it('says what the policies of a user and its boundary would', async () => {
    const policy = statements(
      { Effect: 'Allow', Action: 's3:Get*', Resource: 'arn:aws:s3:::photos/*' },
      { Effect: 'Deny', Action: 's3:GetObject', Resource: 'arn:aws:s3:::photos/secret/*' },
    )
    const user = await newUser(node(), { policy })
    const { EvaluationResults } = await root().send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: user.arn,
        ActionNames: ['s3:GetObject', 's3:PutObject'],
        ResourceArns: ['arn:aws:s3:::photos/a', 'arn:aws:s3:::photos/secret/a'],
      }),
    )
    expect(EvaluationResults?.map(({ EvalActionName, EvalDecision }) => [EvalActionName, EvalDecision])).toEqual([
      ['s3:GetObject', 'allowed'],
      ['s3:GetObject', 'explicitDeny'],
      ['s3:PutObject', 'implicitDeny'],
      ['s3:PutObject', 'implicitDeny'],
    ])
  })

  it('of given policies takes the context that it is given', async () => {
    const PolicyInputList = [allow('s3:ListBucket', '*', { Condition: { StringEquals: { 's3:prefix': 'home/' } } })]
    const ask = async (value: string) => {
      const ContextEntries = [{ ContextKeyName: 's3:prefix', ContextKeyType: 'string' as const, ContextKeyValues: [value] }]
      const command = new SimulateCustomPolicyCommand({ PolicyInputList, ActionNames: ['s3:ListBucket'], ContextEntries })
      return (await root().send(command)).EvaluationResults?.[0]?.EvalDecision
    }
    expect([await ask('home/'), await ask('etc/')]).toEqual(['allowed', 'implicitDeny'])
  })

  it('of another account is none', async () => {
    const user = await newUser(node())
    const other = await newAccount(node())
    const asked = other.iam.send(new SimulatePrincipalPolicyCommand({ PolicySourceArn: user.arn, ActionNames: ['s3:GetObject'] }))
    expect(await refusal(asked)).toMatchObject({ code: 'NoSuchEntityException' })
  })
})

describe('an account', () => {
  it('is told in numbers, in detail, and without an alias', async () => {
    const other = await newAccount(node())
    const PolicyArn = await newPolicy(allow('s3:*'), other.iam)
    const user = await newUser(node(), { by: other.iam, attached: PolicyArn, policy: allow('s3:GetObject') })
    const { SummaryMap } = await other.iam.send(new GetAccountSummaryCommand({}))
    expect(SummaryMap).toMatchObject({ Users: 1, Groups: 0, Roles: 0, Policies: 1, AccountAccessKeysPresent: 1 })
    const details = await other.iam.send(new GetAccountAuthorizationDetailsCommand({}))
    expect(details.UserDetailList).toMatchObject([{ UserName: user.name, AttachedManagedPolicies: [{ PolicyArn }] }])
    expect(decodeURIComponent(details.UserDetailList?.[0]?.UserPolicyList?.[0]?.PolicyDocument ?? '')).toBe(allow('s3:GetObject'))
    expect(details.Policies).toMatchObject([{ Arn: PolicyArn, PolicyVersionList: [{ VersionId: 'v1', IsDefaultVersion: true }] }])
    expect((await other.iam.send(new ListAccountAliasesCommand({}))).AccountAliases).toEqual([])
  })
})
