/** May this caller call that? Its own policies decide; nobody is asked beside them, because IAM's things have no policies of their own. */
import type { Principal } from '../access/caller.ts'
import { permissionsVerdict } from '../access/permissions.ts'
import { principalKeys } from '../access/principal-keys.ts'
import { S3Error } from '../model/errors.ts'

export type ConditionKeys = Readonly<Record<string, string | readonly string[]>>

export interface Wish {
  /** `iam:CreateUser` */
  readonly action: string
  readonly arn: string
  readonly shown: string
  readonly keys: ConditionKeys
}

/** @throws S3Error AccessDenied */
export function requirePermission(caller: Principal, { action, arn, shown, keys }: Wish): void {
  const verdict = permissionsVerdict(caller, { action, resource: arn, context: keys })
  if (verdict === 'allow') return
  throw accessDenied(caller, { action, shown, isExplicit: verdict === 'explicitDeny' })
}

export function accessDenied(
  { arn }: Pick<Principal, 'arn'>,
  {
    action,
    shown,
    isExplicit = false,
    isRoot = false,
  }: Pick<Wish, 'action' | 'shown'> & { readonly isExplicit?: boolean; readonly isRoot?: boolean },
): S3Error {
  if (isRoot) return new S3Error('AccessDenied', { message: 'Roles may not be assumed by root accounts.' })
  return notAuthorized(
    { arn, action, shown },
    isExplicit ? 'with an explicit deny in an identity-based policy' : `because no identity-based policy allows the ${action} action`,
  )
}

/** @param reason  '': it is not for the caller to know */
export function notAuthorized({ arn, action, shown }: Pick<Wish, 'arn' | 'action' | 'shown'>, reason: string): S3Error {
  const wish = `User: ${arn} is not authorized to perform: ${action} on resource: ${shown}`
  return new S3Error('AccessDenied', { message: `${wish} ${reason}`.trim() })
}

/** What else is known of a request, beside who makes it. */
export interface RequestOrigin {
  readonly sourceIp?: string
  readonly isSecure?: boolean
  readonly userAgent?: string
}

/**
 * The global condition keys of a caller's request.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function conditionKeys(
  caller: Principal,
  { nowMs, origin }: { readonly nowMs: number; readonly origin: RequestOrigin },
): ConditionKeys {
  const { accountId, session } = caller
  const { sourceIp, isSecure, userAgent } = origin
  return {
    ...principalKeys(caller),
    'aws:PrincipalIsAWSService': 'false',
    'aws:ResourceAccount': accountId,
    'aws:CurrentTime': new Date(nowMs).toISOString(),
    'aws:EpochTime': String(Math.floor(nowMs / 1000)),
    ...(session !== undefined && { 'aws:MultiFactorAuthPresent': 'false' }),
    ...(sourceIp !== undefined && { 'aws:SourceIp': sourceIp }),
    ...(isSecure !== undefined && { 'aws:SecureTransport': String(isSecure) }),
    ...(userAgent !== undefined && { 'aws:UserAgent': userAgent }),
    'aws:ViaAWSService': 'false',
  }
}
