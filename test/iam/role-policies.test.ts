import {
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { credentials, newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()
let iam: IAMClient
const document = (sid: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: sid, Effect: 'Allow', Action: ['s3:ReplicateObject'], Resource: 'arn:aws:s3:::b/*' }],
  })

beforeAll(() => {
  iam = new IAMClient({ endpoint: node().endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
})
afterAll(() => iam.destroy())

async function newRole(): Promise<string> {
  const RoleName = newName('role')
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  }
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }))
  return RoleName
}

const put = (RoleName: string, PolicyName: string, PolicyDocument: string) =>
  iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }))
const get = (RoleName: string, PolicyName: string) => iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))

describe('PutRolePolicy', () => {
  it('keeps a policy as it was given, and replaces the one of that name', async () => {
    const role = await newRole()
    await put(role, 'p', document('First'))
    const spaced = `${document('Second').replaceAll(',', ' ,\n ')} `
    await put(role, 'p', spaced)
    const { RoleName, PolicyName, PolicyDocument = '' } = await get(role, 'p')
    expect([RoleName, PolicyName]).toEqual([role, 'p'])
    expect(decodeURIComponent(PolicyDocument)).toBe(spaced)
  })

  it.each(['__proto__', 'constructor'])('takes a policy with the name %s for what it is', async (name) => {
    const role = await newRole()
    expect(await refusal(get(role, name))).toMatchObject({ code: 'NoSuchEntityException' })
    await put(role, name, document('A'))
    expect(decodeURIComponent((await get(role, name)).PolicyDocument ?? '')).toBe(document('A'))
    expect((await iam.send(new ListRolePoliciesCommand({ RoleName: role }))).PolicyNames).toEqual([name])
  })

  it.each([
    ['no JSON', '{'],
    ['a principal', document('A').replace('"Action"', '"Principal":"*","Action"')],
    ['no resource', document('A').replace(/,"Resource":"[^"]*"/, '')],
  ])('refuses a document with %s', async (_, wrong) => {
    expect(await refusal(put(await newRole(), 'p', wrong))).toMatchObject({ code: 'MalformedPolicyDocumentException', status: 400 })
  })

  it('refuses policies that are too large together', async () => {
    const role = await newRole()
    await put(role, 'p', document('a'.repeat(6000)))
    expect(await refusal(put(role, 'q', document('a'.repeat(6000))))).toMatchObject({ code: 'LimitExceededException', status: 409 })
    await put(role, 'p', document('b'.repeat(6000)))
  })

  it('refuses a role that is not there and a name that is none', async () => {
    expect(await refusal(put('nobody', 'p', document('A')))).toMatchObject({ code: 'NoSuchEntityException', status: 404 })
    expect(await refusal(put(await newRole(), 'p/q', document('A')))).toMatchObject({ code: 'ValidationError', status: 400 })
  })
})

describe('GetRolePolicy', () => {
  it('answers NoSuchEntity for a policy that is not there', async () => {
    const message = 'The role policy with name p cannot be found.'
    expect(await refusal(get(await newRole(), 'p'))).toMatchObject({ code: 'NoSuchEntityException', status: 404, message })
  })
})

describe('ListRolePolicies', () => {
  it('gives the names in order, in pages', async () => {
    const role = await newRole()
    for (const name of ['c', 'a', 'b']) await put(role, name, document('A'))
    const first = await iam.send(new ListRolePoliciesCommand({ RoleName: role, MaxItems: 2 }))
    expect([first.PolicyNames, first.IsTruncated]).toEqual([['a', 'b'], true])
    const second = await iam.send(new ListRolePoliciesCommand({ RoleName: role, MaxItems: 2, Marker: first.Marker }))
    expect([second.PolicyNames, second.IsTruncated, second.Marker]).toEqual([['c'], false, undefined])
  })

  it('is empty for a role without policies', async () => {
    expect((await iam.send(new ListRolePoliciesCommand({ RoleName: await newRole() }))).PolicyNames).toEqual([])
  })
})

describe('DeleteRolePolicy', () => {
  it('deletes a policy, once', async () => {
    const role = await newRole()
    await put(role, 'p', document('A'))
    const remove = new DeleteRolePolicyCommand({ RoleName: role, PolicyName: 'p' })
    await iam.send(remove)
    expect(await refusal(iam.send(remove))).toMatchObject({ code: 'NoSuchEntityException', status: 404 })
  })
})
