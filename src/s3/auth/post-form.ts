/**
 * Who a form is from, and what its policy allows: not the request is signed, but the policy.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
 */
import type { ClaimedKey } from '../../access/credentials.ts'
import { S3Error } from '../../model/errors.ts'
import { missingField } from '../../model/post-form.ts'
import type { FormFields } from '../../model/post-policy.ts'
import { type Claim, scopedCredential } from './claim.ts'
import { isSameSignature, sign, signatureDoesNotMatch } from './signature.ts'
import { parseAmzDate } from './time.ts'
import { checkScope, credentialOf, type Signed, type VerifyOptions } from './verify.ts'

/** A form that says who signed its policy; nothing of it is proven. */
export interface FormClaim extends Claim {
  /** Base64, as it was signed. */
  readonly policy: string
}

const algorithm = 'AWS4-HMAC-SHA256'
const credentialFields = ['policy', 'x-amz-signature', 'x-amz-credential', 'x-amz-algorithm', 'x-amz-date'] as const

/**
 * @returns undefined for a form without any credentials; half of them are refused, never taken for none
 * @throws S3Error InvalidArgument | InvalidRequest (SigV2) | AuthorizationQueryParametersError
 */
export function formClaimOf(fields: FormFields): FormClaim | undefined {
  if (fields.has('awsaccesskeyid') || fields.has('signature')) {
    throw new S3Error('InvalidRequest', {
      message: `The authorization mechanism you have provided is not supported. Please use ${algorithm}.`,
    })
  }
  const isAnonymous = ![...credentialFields, 'x-amz-security-token'].some((name) => fields.has(name))
  if (isAnonymous) return undefined
  const required = (name: (typeof credentialFields)[number]): string => {
    const value = fields.get(name)
    if (value === undefined || value === '') throw missingField(name)
    return value
  }
  const policy = required('policy')
  const signature = required('x-amz-signature')
  if (required('x-amz-algorithm') !== algorithm) throw wrong('x-amz-algorithm', `x-amz-algorithm only supports "${algorithm}"`)
  const { accessKeyId, scope } = scopedCredential(required('x-amz-credential'))
  const timestamp = required('x-amz-date')
  const timeMs = parseAmzDate(timestamp)
  if (timeMs === undefined) throw wrong('x-amz-date', `x-amz-date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
  if (!timestamp.startsWith(scope.date)) throw wrong('x-amz-date', 'x-amz-date must be of the day that x-amz-credential names')
  const securityToken = fields.get('x-amz-security-token')
  const token = securityToken === undefined ? {} : { securityToken }
  return { via: 'form', accessKeyId, scope, signedHeaders: [], signature, timestamp, timeMs, policy, ...token }
}

export function formKey({ accessKeyId, securityToken }: FormClaim): ClaimedKey {
  return { accessKeyId, sessionToken: securityToken }
}

/** @throws S3Error InvalidAccessKeyId | SignatureDoesNotMatch | InvalidToken | ExpiredToken | AuthorizationQueryParametersError */
export function verifyForm(claim: FormClaim, options: VerifyOptions): Signed {
  const { accessKeyId, scope, signature, policy } = claim
  checkScope(claim, options)
  const { secretAccessKey, caller } = credentialOf(claim, options)
  const expected = sign(options.keys.get({ secretAccessKey, ...scope }), Buffer.from(policy).toString('latin1'))
  if (!isSameSignature(expected, signature)) {
    throw signatureDoesNotMatch({ accessKeyId, stringToSign: policy, signatureProvided: signature })
  }
  return { kind: 'signed', via: 'form', accessKeyId, caller, scope, signedHeaders: new Set(), payload: { mode: 'unsigned' } }
}

function wrong(name: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, details: { ArgumentName: name } })
}
