/** What nobody has here, answered as IAM answers who has none: tools ask before they delete a user or a role, and 501 would stop them. */
import { type Action, type ActionCall, iamAction, type Target } from './action.ts'
import { accountTarget, namedRole, underPath } from './nouns.ts'
import { pageParameters, pageRequest } from './paging.ts'
import { noSuchEntity } from './refusals.ts'
import { userOrCaller } from './users.ts'

interface EmptyList {
  readonly name: string
  /** The member of the answer. */
  readonly list: string
  readonly parameters: readonly string[]
  target(call: ActionCall): Promise<Target<unknown>> | Target<unknown>
}

const ofUser = { parameters: ['UserName', ...pageParameters], target: userOrCaller }

/** Each is described at https://docs.aws.amazon.com/IAM/latest/APIReference/ under API_ and its name. */
const lists: readonly EmptyList[] = [
  {
    name: 'ListInstanceProfiles',
    list: 'InstanceProfiles',
    parameters: ['PathPrefix', ...pageParameters],
    target: underPath('instance-profile'),
  },
  { name: 'ListInstanceProfilesForRole', list: 'InstanceProfiles', parameters: ['RoleName', ...pageParameters], target: namedRole },
  { name: 'ListMFADevices', list: 'MFADevices', ...ofUser },
  {
    name: 'ListVirtualMFADevices',
    list: 'VirtualMFADevices',
    parameters: ['AssignmentStatus', ...pageParameters],
    target: accountTarget,
  },
  { name: 'ListSigningCertificates', list: 'Certificates', ...ofUser },
  { name: 'ListSSHPublicKeys', list: 'SSHPublicKeys', ...ofUser },
  {
    name: 'ListServiceSpecificCredentials',
    list: 'ServiceSpecificCredentials',
    ...ofUser,
    parameters: ['ServiceName', ...ofUser.parameters],
  },
]

/** Two lists that IAM does not page: providers of a deployment stand in its configuration, and are nobody's to list. */
const providers: readonly EmptyList[] = [
  { name: 'ListOpenIDConnectProviders', list: 'OpenIDConnectProviderList', parameters: [], target: accountTarget },
  { name: 'ListSAMLProviders', list: 'SAMLProviderList', parameters: [], target: accountTarget },
]

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetLoginProfile.html */
const GetLoginProfile = iamAction({
  name: 'GetLoginProfile',
  parameters: ['UserName'],
  target: userOrCaller,

  async perform({ caller }, user) {
    throw noSuchEntity(`Login Profile for User ${user === 'root' ? caller.accountId : user.name} cannot be found.`)
  },
})

export const absentThings: readonly Action[] = [
  GetLoginProfile,
  ...lists.map(({ list, ...action }) =>
    iamAction({
      ...action,
      async perform({ parameters }) {
        pageRequest(parameters)
        return { [list]: {}, IsTruncated: false }
      },
    }),
  ),
  ...providers.map(({ list, ...action }) => iamAction({ ...action, perform: async () => ({ [list]: {} }) })),
]
