import {
  CreateRoleCommand,
  GetLoginProfileCommand,
  ListInstanceProfilesCommand,
  ListInstanceProfilesForRoleCommand,
  ListMFADevicesCommand,
  ListOpenIDConnectProvidersCommand,
  ListSAMLProvidersCommand,
  ListServiceSpecificCredentialsCommand,
  ListSigningCertificatesCommand,
  ListSSHPublicKeysCommand,
  ListVirtualMFADevicesCommand,
} from '@aws-sdk/client-iam'
import { beforeAll, describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'
import { allow, homeAccount, iamOf, newUser, type TestUser, trusting } from './callers.ts'

const node = useDeployment()
const RoleName = newName('role')
let user: TestUser
beforeAll(async () => {
  await iamOf(node()).send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trusting(homeAccount) }))
  user = await newUser(node(), { policy: allow('iam:*') })
})

describe('what nobody has here', () => {
  it('is an empty list', async () => {
    const { iam, name: UserName } = user
    const paged = [
      ['InstanceProfiles', await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName, MaxItems: 10 }))],
      ['InstanceProfiles', await iam.send(new ListInstanceProfilesCommand({}))],
      ['MFADevices', await iam.send(new ListMFADevicesCommand({ UserName }))],
      ['MFADevices', await iam.send(new ListMFADevicesCommand({}))],
      ['VirtualMFADevices', await iam.send(new ListVirtualMFADevicesCommand({ AssignmentStatus: 'Assigned' }))],
      ['Certificates', await iam.send(new ListSigningCertificatesCommand({ UserName }))],
      ['SSHPublicKeys', await iam.send(new ListSSHPublicKeysCommand({ UserName }))],
      ['ServiceSpecificCredentials', await iam.send(new ListServiceSpecificCredentialsCommand({ UserName }))],
    ] as const
    for (const [list, answer] of paged) expect(answer).toMatchObject({ [list]: [], IsTruncated: false })
    expect(await iam.send(new ListSAMLProvidersCommand({}))).toMatchObject({ SAMLProviderList: [] })
    expect(await iam.send(new ListOpenIDConnectProvidersCommand({}))).toMatchObject({ OpenIDConnectProviderList: [] })
  })

  it('is NoSuchEntity for the password of a user', async () => {
    const profile = user.iam.send(new GetLoginProfileCommand({ UserName: user.name }))
    expect(await refusal(profile)).toMatchObject({ code: expect.stringContaining('NoSuchEntity'), status: 404 })
  })

  it('needs the permission, and a user or role that is there', async () => {
    const { iam } = await newUser(node(), { policy: allow('iam:ListMFADevices') })
    expect(await refusal(iam.send(new ListSSHPublicKeysCommand({ UserName: user.name })))).toMatchObject({ status: 403 })
    expect(await refusal(iam.send(new ListInstanceProfilesForRoleCommand({ RoleName })))).toMatchObject({ status: 403 })
    expect(await refusal(iam.send(new ListMFADevicesCommand({ UserName: newName('user') })))).toMatchObject({ status: 404 })
    expect(await refusal(user.iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: newName('role') })))).toMatchObject({
      status: 404,
    })
  })
})
