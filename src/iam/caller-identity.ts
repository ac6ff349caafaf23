/** Who is asking: the one call that needs no permission, and that no policy forbids. */
import type { Action } from './action.ts'

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
export const GetCallerIdentity: Action = {
  service: 'sts',
  name: 'GetCallerIdentity',
  parameters: [],

  perform: async ({ caller }) => ({ Arn: caller.arn, UserId: caller.userId, Account: caller.accountId }),
}
