/** Decides who a request is from, by its head alone: the body is still unread. */
import type { Caller } from '../../access/caller.ts'
import type { ClaimedKey, Credential } from '../../access/credentials.ts'
import { S3Error } from '../../model/errors.ts'
import { canonicalHeaders, canonicalQuery, canonicalS3Path, canonicalServicePath, queryPairs } from './canonical.ts'
import { type Claim, claimOf, type Scope } from './claim.ts'
import { headerOf, type RequestHead } from './head.ts'
import { type ChunkSeed, type PayloadMode, payloadModeOf } from './payload.ts'
import { isSameSignature, sha256Hex, sign, signatureDoesNotMatch } from './signature.ts'
import type { SigningKeys } from './signing-keys.ts'

export interface VerifyOptions {
  readonly nowMs: number
  /** Regions whose scope is accepted; the first is this region, the one that a refusal names. */
  readonly regions: readonly [string, ...string[]]
  readonly services: readonly string[]
  /** What belongs to the key that the request names; undefined: nothing. */
  readonly credential: Credential | undefined
  readonly keys: SigningKeys
}

export interface Anonymous {
  readonly kind: 'anonymous'
  readonly caller: Caller
  readonly payload: PayloadMode
}

export interface Signed {
  readonly kind: 'signed'
  readonly via: 'header' | 'query' | 'form'
  readonly accessKeyId: string
  /** Whose key signed it. */
  readonly caller: Caller
  readonly scope: Scope
  readonly signedHeaders: ReadonlySet<string>
  readonly payload: PayloadMode
  /** For a chunked-signed payload: what its first chunk continues from. */
  readonly seed?: ChunkSeed
}

/**
 * The signature covers the body's hash, and no header says what that is (IAM and STS clients): read the body, which these
 * services keep small, and complete(). Until then nothing is proven, which is why this is a kind of its own.
 */
export interface AwaitingBody {
  readonly kind: 'awaiting-body'
  readonly accessKeyId: string
  readonly scope: Scope
  /**
   * @param sha256 of the whole body, lower-case hex
   * @throws S3Error SignatureDoesNotMatch
   */
  readonly complete: (sha256: string) => Signed
}

export type Verified = Anonymous | Signed | AwaitingBody

/** A head and what it says of itself; nothing of it is proven. */
export interface Claimed {
  readonly head: RequestHead
  readonly pairs: ReturnType<typeof queryPairs>
  /** Undefined: anonymous. */
  readonly claim: Claim | undefined
}

/** @throws S3Error as `claimOf` */
export function readClaim(head: RequestHead): Claimed {
  const pairs = queryPairs(head.rawQuery)
  return { head, pairs, claim: claimOf(head, pairs) }
}

/** The key to look up before `verifySignature`; undefined for an anonymous request. */
export function claimedKey({ claim }: Claimed): ClaimedKey | undefined {
  return claim && { accessKeyId: claim.accessKeyId, sessionToken: claim.securityToken }
}

/** Source: RequestTimeTooSkewed in https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const skewMaxMs = 15 * 60 * 1000
/** IAM and STS are one for all regions, and clients sign for them with this one whatever their own. */
const globalServices: ReadonlySet<string> = new Set(['iam', 'sts'])
const globalRegion = 'us-east-1'

/**
 * SigV4 in the header and the presigned form; a request without credentials is anonymous.
 * @throws S3Error InvalidAccessKeyId | SignatureDoesNotMatch | RequestTimeTooSkewed | AccessDenied (expired, or headers not
 * signed) | InvalidToken | ExpiredToken | InvalidRequest | InvalidArgument | AuthorizationHeaderMalformed |
 * AuthorizationQueryParametersError | NotImplemented (SigV4A)
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
export function verifySignature({ head, pairs, claim }: Claimed, options: VerifyOptions): Verified {
  if (claim === undefined) return { kind: 'anonymous', caller: { kind: 'anonymous' }, payload: anonymousPayload(head) }

  checkScope(claim, options)
  checkTime(claim, options.nowMs)
  const isS3 = claim.scope.service === 's3'
  const payloadHash = payloadHashOf(head, claim)
  if (payloadHash === undefined && isS3) {
    throw new S3Error('InvalidRequest', { message: 'Missing required header for this request: x-amz-content-sha256' })
  }
  const payload = payloadHash === undefined ? undefined : payloadModeOf(payloadHash)
  const credential = credentialOf(claim, options)

  const headers = canonicalHeaders(head.rawHeaders, claim.signedHeaders)
  if (headers.notSigned.length > 0) throw headersNotSigned(headers.notSigned)
  const canonicalHead = [
    head.method,
    isS3 ? canonicalS3Path(head.rawPath) : canonicalServicePath(head.rawPath),
    canonicalQuery(pairs, claim.via === 'query' ? 'X-Amz-Signature' : undefined),
    headers.text,
    claim.signedHeaders.join(';'),
  ].join('\n')
  const signingKey = options.keys.get({ secretAccessKey: credential.secretAccessKey, ...claim.scope })

  if (payloadHash === undefined || payload === undefined) {
    const { accessKeyId, scope } = claim
    const complete = (sha256: string): Signed => {
      checkSignature({ claim, signingKey, canonicalRequest: `${canonicalHead}\n${sha256}` })
      return signedBy(claim, { payload: { mode: 'sha256', hex: sha256 }, signingKey, caller: credential.caller })
    }
    return { kind: 'awaiting-body', accessKeyId, scope, complete }
  }
  checkSignature({ claim, signingKey, canonicalRequest: `${canonicalHead}\n${payloadHash}` })
  return signedBy(claim, { payload, signingKey, caller: credential.caller })
}

/** A body that claims to be signed chunk by chunk cannot be: there is no key to check it with. */
function anonymousPayload(head: RequestHead): PayloadMode {
  const value = headerOf(head, 'x-amz-content-sha256')
  const payload: PayloadMode = value === undefined ? { mode: 'unsigned' } : payloadModeOf(value)
  if (payload.mode === 'chunked-signed') {
    throw new S3Error('InvalidRequest', { message: 'A body with chunk signatures needs a signed request.' })
  }
  return payload
}

/** @throws S3Error AuthorizationHeaderMalformed | AuthorizationQueryParametersError */
export function checkScope({ via, scope }: Claim, { regions, services }: VerifyOptions): void {
  if (!services.includes(scope.service)) {
    const expected = services.map((service) => `"${service}"`).join(', ')
    throw badScope(via, { message: `incorrect service "${scope.service}". This endpoint belongs to ${expected}.` })
  }
  if (regions.includes(scope.region) || (globalServices.has(scope.service) && scope.region === globalRegion)) return
  const [own] = regions
  throw badScope(via, { message: `the region '${scope.region}' is wrong; expecting '${own}'`, region: own })
}

function badScope(via: Claim['via'], { message, region }: { message: string; region?: string }): S3Error {
  const details = region === undefined ? {} : { Region: region }
  return via === 'header'
    ? new S3Error('AuthorizationHeaderMalformed', { message: `The authorization header is malformed; ${message}`, details })
    : new S3Error('AuthorizationQueryParametersError', {
        message: `Error parsing the X-Amz-Credential parameter; ${message}`,
        details,
      })
}

function checkTime({ timeMs, expiresSeconds, timestamp }: Claim, nowMs: number): void {
  const serverTime = (): string => new Date(nowMs).toISOString()
  if (expiresSeconds === undefined) {
    if (Math.abs(nowMs - timeMs) <= skewMaxMs) return
    throw new S3Error('RequestTimeTooSkewed', {
      details: { RequestTime: timestamp, ServerTime: serverTime(), MaxAllowedSkewMilliseconds: skewMaxMs },
    })
  }
  const endMs = timeMs + expiresSeconds * 1000
  if (nowMs > endMs) {
    throw new S3Error('AccessDenied', {
      message: 'Request has expired',
      details: { 'X-Amz-Expires': expiresSeconds, Expires: new Date(endMs).toISOString(), ServerTime: serverTime() },
    })
  }
  if (timeMs - nowMs > skewMaxMs) {
    throw new S3Error('AccessDenied', {
      message: 'Request is not valid yet',
      details: { RequestTime: timestamp, ServerTime: serverTime() },
    })
  }
}

/** A presigned request signs UNSIGNED-PAYLOAD unless it says otherwise. */
function payloadHashOf(head: RequestHead, claim: Claim): string | undefined {
  // Of these the body is the request: its signature covers the bytes that came, whatever a header says of them.
  if (globalServices.has(claim.scope.service)) return undefined
  const header = headerOf(head, 'x-amz-content-sha256')
  return claim.via === 'header' ? header : (header ?? claim.contentSha256 ?? 'UNSIGNED-PAYLOAD')
}

/** What the claimed key is good for. @throws S3Error InvalidAccessKeyId | InvalidToken | ExpiredToken */
export function credentialOf(claim: Claim, { credential, nowMs }: VerifyOptions): Credential {
  const details = { AWSAccessKeyId: claim.accessKeyId }
  // Temporary keys are none without their token, as AWS has it.
  if (credential === undefined || (credential.sessionToken !== undefined && claim.securityToken === undefined)) {
    throw new S3Error('InvalidAccessKeyId', { details })
  }
  if (claim.securityToken !== undefined) {
    // Hashed first, so that the comparison tells nothing of the token, its length included.
    const isSame = isSameSignature(sha256Hex(credential.sessionToken ?? ''), sha256Hex(claim.securityToken))
    if (credential.sessionToken === undefined || !isSame) throw new S3Error('InvalidToken')
  }
  if (credential.expiresMs !== undefined && nowMs >= credential.expiresMs) throw new S3Error('ExpiredToken')
  return credential
}

function headersNotSigned(names: readonly string[]): S3Error {
  return new S3Error('AccessDenied', {
    message: 'There were headers present in the request which were not signed',
    details: { HeadersNotSigned: names.join(', ') },
  })
}

interface Check {
  readonly claim: Claim
  readonly signingKey: Buffer
  readonly canonicalRequest: string
}

function checkSignature({ claim, signingKey, canonicalRequest }: Check): void {
  const digest = sha256Hex(Buffer.from(canonicalRequest, 'latin1'))
  const stringToSign = `AWS4-HMAC-SHA256\n${claim.timestamp}\n${scopeText(claim.scope)}\n${digest}`
  if (isSameSignature(sign(signingKey, stringToSign), claim.signature)) return
  const { accessKeyId, signature } = claim
  throw signatureDoesNotMatch({ accessKeyId, stringToSign, signatureProvided: signature, canonicalRequest })
}

function signedBy(claim: Claim, { payload, signingKey, caller }: { payload: PayloadMode; signingKey: Buffer; caller: Caller }): Signed {
  const { via, accessKeyId, scope, signature, timestamp } = claim
  const signedHeaders = new Set(claim.signedHeaders)
  const signed: Signed = { kind: 'signed', via, accessKeyId, caller, scope, signedHeaders, payload }
  if (payload.mode !== 'chunked-signed') return signed
  return { ...signed, seed: { accessKeyId, signature, signingKey, timestamp, scope: scopeText(scope) } }
}

function scopeText({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/aws4_request`
}
