/** What somebody is told who may not do what he wished. */
import { S3Error } from '../model/errors.ts'
import { type Caller, isPrincipal } from './caller.ts'
import type { Reason } from './decide.ts'

/**
 * Whoever is of the account that owns the thing is told which kind of policy is in the way; nobody else learns anything.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 */
export function accessDenied(of: {
  readonly caller: Caller
  readonly action: string
  readonly resource: string
  readonly reason: Reason
}): S3Error {
  const { caller, action, resource, reason } = of
  if (reason === 'closed' || !isPrincipal(caller)) return new S3Error('AccessDenied')
  const wish = `User: ${caller.arn} is not authorized to perform: ${action} on resource: "${resource}"`
  return new S3Error('AccessDenied', { message: `${wish} ${wordsOf(reason, action)}` })
}

function wordsOf(reason: Exclude<Reason, 'closed'>, action: string): string {
  switch (reason) {
    case 'explicit-identity':
      return 'with an explicit deny in an identity-based policy'
    case 'explicit-boundary':
      return 'with an explicit deny in a permissions boundary'
    case 'explicit-session':
      return 'with an explicit deny in a session policy'
    case 'explicit-resource':
      return 'with an explicit deny in a resource-based policy'
    case 'no-identity':
      return `because no identity-based policy allows the ${action} action`
    case 'no-boundary':
      return `because no permissions boundary allows the ${action} action`
    case 'no-session':
      return `because no session policy allows the ${action} action`
    case 'no-resource':
      return `because no resource-based policy allows the ${action} action`
    default:
      return reason satisfies never
  }
}
