import {
  CreateRoleCommand,
  DeleteRoleCommand,
  GetRoleCommand,
  IAMClient,
  ListRolesCommand,
  PutRolePolicyCommand,
  paginateListRoles,
} from '@aws-sdk/client-iam'
import { afterAll, describe, expect, it } from 'vitest'
import { account, credentials, newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })
const clients: IAMClient[] = []
const trustPolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }],
})

function iam(region = 'us-east-1'): IAMClient {
  const client = new IAMClient({ endpoint: node(region).endpoint, region, credentials, maxAttempts: 1 })
  clients.push(client)
  return client
}
afterAll(() => {
  for (const client of clients) client.destroy()
})

const create = (RoleName: string, more = {}) =>
  iam().send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustPolicy, ...more }))
const get = async (RoleName: string, region = 'us-east-1') => (await iam(region).send(new GetRoleCommand({ RoleName }))).Role

describe('CreateRole', () => {
  it('makes a role and answers it whole', async () => {
    const name = newName('role')
    const { Role } = await create(name, { Path: '/service-role/', Description: 'carries objects', MaxSessionDuration: 7200 })
    expect(Role).toEqual({
      Path: '/service-role/',
      RoleName: name,
      RoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/),
      Arn: `arn:aws:iam::${account.accountId}:role/service-role/${name}`,
      CreateDate: expect.any(Date),
      AssumeRolePolicyDocument: encodeURIComponent(trustPolicy).replaceAll('*', '%2A'),
      Description: 'carries objects',
      MaxSessionDuration: 7200,
    })
    expect(await get(name)).toEqual({ ...Role, RoleLastUsed: {} })
  })

  it('is known in every region when it is answered, wherever it was called', async () => {
    const name = newName('role')
    await iam('eu-west-1').send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trustPolicy }))
    expect((await get(name, 'eu-west-1'))?.RoleName).toBe(name)
    expect((await get(name, 'us-east-1'))?.RoleName).toBe(name)
  })

  it('refuses a name that is taken, in whatever case', async () => {
    const name = newName('role')
    await create(name)
    const refused = { code: 'EntityAlreadyExistsException', status: 409, message: expect.stringContaining('already exists') }
    expect(await refusal(create(name))).toMatchObject(refused)
    expect(await refusal(create(name.toUpperCase()))).toMatchObject(refused)
  })

  it.each([
    ['a name of 65 characters', { RoleName: 'r'.repeat(65) }],
    ['a name with a slash', { RoleName: 'a/b' }],
    ['an empty name', { RoleName: '' }],
    ['a path without slashes', { Path: 'service' }],
    ['a description of 1001 characters', { Description: 'd'.repeat(1001) }],
    ['a session of a second', { MaxSessionDuration: 1 }],
    ['a session of a day', { MaxSessionDuration: 86_400 }],
  ])('refuses %s', async (_, wrong) => {
    expect(await refusal(create(newName('role'), wrong))).toMatchObject({ code: 'ValidationError', status: 400 })
  })

  it.each([
    ['no JSON', '{'],
    ['a resource', trustPolicy.replace('"Action"', '"Resource":"*","Action"')],
    ['no principal', trustPolicy.replace(/"Principal":\{[^}]*\},/, '')],
    ['another action', trustPolicy.replace('sts:AssumeRole', 's3:GetObject')],
  ])('refuses a trust policy with %s', async (_, document) => {
    const refused = { code: 'MalformedPolicyDocumentException', status: 400 }
    expect(await refusal(create(newName('role'), { AssumeRolePolicyDocument: document }))).toMatchObject(refused)
  })

  it('refuses a trust policy above its quota', async () => {
    const long = trustPolicy.replace('"Effect"', `"Sid":"${'s'.repeat(2048)}","Effect"`)
    expect(await refusal(create(newName('role'), { AssumeRolePolicyDocument: long }))).toMatchObject({
      code: 'LimitExceededException',
      status: 409,
    })
  })

  it('keeps tags and a boundary', async () => {
    const RoleName = newName('role')
    const PermissionsBoundary = 'arn:aws:iam::aws:policy/AmazonS3FullAccess'
    await create(RoleName, { Tags: [{ Key: 'team', Value: 'harbour' }], PermissionsBoundary })
    expect(await get(RoleName)).toMatchObject({
      Tags: [{ Key: 'team', Value: 'harbour' }],
      PermissionsBoundary: { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: PermissionsBoundary },
    })
  })

  it('refuses a boundary that is no policy, and makes no role', async () => {
    const RoleName = newName('role')
    const refused = await refusal(create(RoleName, { PermissionsBoundary: `arn:aws:iam::${account.accountId}:policy/p` }))
    expect(refused).toMatchObject({ code: 'NoSuchEntityException', status: 404 })
    expect(await refusal(get(RoleName))).toMatchObject({ code: 'NoSuchEntityException' })
  })

  it('takes an empty list of tags, which asks for nothing', async () => {
    await create(newName('role'), { Tags: [] })
  })
})

describe('GetRole', () => {
  it('answers NoSuchEntity for a role that is not there', async () => {
    expect(await refusal(get('nobody'))).toMatchObject({
      code: 'NoSuchEntityException',
      status: 404,
      message: 'The role with name nobody cannot be found.',
    })
  })
})

describe('DeleteRole', () => {
  it('deletes a role, once', async () => {
    const name = newName('role')
    await create(name)
    await iam().send(new DeleteRoleCommand({ RoleName: name }))
    expect(await refusal(iam().send(new DeleteRoleCommand({ RoleName: name })))).toMatchObject({
      code: 'NoSuchEntityException',
      status: 404,
    })
  })

  it('refuses a role that still has a policy', async () => {
    const name = newName('role')
    await create(name)
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] })
    await iam().send(new PutRolePolicyCommand({ RoleName: name, PolicyName: 'p', PolicyDocument }))
    expect(await refusal(iam().send(new DeleteRoleCommand({ RoleName: name })))).toMatchObject({
      code: 'DeleteConflictException',
      status: 409,
    })
  })
})

describe('ListRoles', () => {
  it('gives pages of MaxItems under a path, each role once', async () => {
    const Path = `/${newName('path')}/`
    const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => `${Path.slice(1, -1)}-${letter}`)
    for (const name of names) await create(name, { Path })
    const pages: (string | undefined)[][] = []
    for await (const page of paginateListRoles({ client: iam(), pageSize: 2 }, { PathPrefix: Path })) {
      pages.push((page.Roles ?? []).map(({ RoleName }) => RoleName))
    }
    expect(pages).toEqual([names.slice(0, 2), names.slice(2, 4), names.slice(4)])
  })

  it.each([{ MaxItems: 0 }, { MaxItems: 1001 }, { Marker: 'made-up' }])('refuses %j', async (input) => {
    expect(await refusal(iam().send(new ListRolesCommand(input)))).toMatchObject({ code: 'ValidationError', status: 400 })
  })
})
