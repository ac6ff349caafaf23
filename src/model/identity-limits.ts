/**
 * What IAM counts. Sizes are characters other than white space.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */

export const attachedPoliciesMax = 10
export const groupsPerUserMax = 10
export const accessKeysMax = 2
export const policyVersionsMax = 5
export const identityTagsMax = 50
export const managedPolicySizeMax = 6_144
/** All inline policies of one together. */
export const inlinePoliciesSizeMax = { user: 2_048, role: 10_240, group: 5_120 } as const
/** Of an account. Ours for roles and policies, of which IAM gives fewer unless asked. */
export const identitiesMax = { user: 5_000, group: 500, role: 5_000, policy: 5_000 } as const
/** Ours: of a deployment. */
export const accountsMax = 10_000
