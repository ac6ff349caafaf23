/** An account in numbers. */
import {
  accessKeysMax,
  attachedPoliciesMax,
  groupsPerUserMax,
  identitiesMax,
  inlinePoliciesSizeMax,
  managedPolicySizeMax,
  policyVersionsMax,
} from '../model/identity-limits.ts'
import { iamAction } from './action.ts'
import { accountTarget } from './nouns.ts'
import { pageParameters } from './paging.ts'
import { scanAll } from './scan.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html */
export const GetAccountSummary = iamAction({
  name: 'GetAccountSummary',
  parameters: [],
  target: accountTarget,

  async perform(call) {
    const rootKeys = await call.identities.accessKeysOf({ accountId: call.caller.accountId })
    const policies = await scanAll(call, 'policy')
    const numbers: Readonly<Record<string, number>> = {
      Users: (await scanAll(call, 'user')).length,
      UsersQuota: identitiesMax.user,
      Groups: (await scanAll(call, 'group')).length,
      GroupsQuota: identitiesMax.group,
      Roles: (await scanAll(call, 'role')).length,
      RolesQuota: identitiesMax.role,
      Policies: policies.length,
      PoliciesQuota: identitiesMax.policy,
      PolicyVersionsInUse: policies.reduce((sum, { versions }) => sum + versions.length, 0),
      VersionsPerPolicyQuota: policyVersionsMax,
      PolicySizeQuota: managedPolicySizeMax,
      UserPolicySizeQuota: inlinePoliciesSizeMax.user,
      GroupPolicySizeQuota: inlinePoliciesSizeMax.group,
      RolePolicySizeQuota: inlinePoliciesSizeMax.role,
      AttachedPoliciesPerUserQuota: attachedPoliciesMax,
      AttachedPoliciesPerGroupQuota: attachedPoliciesMax,
      AttachedPoliciesPerRoleQuota: attachedPoliciesMax,
      GroupsPerUserQuota: groupsPerUserMax,
      AccessKeysPerUserQuota: accessKeysMax,
      AccountAccessKeysPresent: rootKeys.length === 0 ? 0 : 1,
      AccountMFAEnabled: 0,
      MFADevices: 0,
      MFADevicesInUse: 0,
    }
    return { SummaryMap: { entry: Object.entries(numbers).map(([key, value]) => ({ key, value })) } }
  },
})

/** Accounts have no aliases here. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html */
export const ListAccountAliases = iamAction({
  name: 'ListAccountAliases',
  parameters: pageParameters,
  target: accountTarget,

  perform: async () => ({ AccountAliases: {}, IsTruncated: false }),
})
