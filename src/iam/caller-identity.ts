/** Who is asking: the one call of STS that needs no role and no session. */
import type { Action } from './action.ts'

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
export const GetCallerIdentity: Action = {
  service: 'sts',
  name: 'GetCallerIdentity',
  parameters: [],

  // The root user's id is that of its account.
  perform: async ({ caller }) => ({ Arn: caller.arn, UserId: caller.accountId, Account: caller.accountId }),
}
