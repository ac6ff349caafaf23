/** Who a request says it is from: the Authorization header or the X-Amz-* parameters, parsed and not yet believed. */
import { S3Error } from '../../model/errors.ts'
import type { QueryPair } from './canonical.ts'
import { headerOf, type RequestHead } from './head.ts'
import { formatAmzDate, parseAmzDate, parseHttpDate } from './time.ts'

export interface Scope {
  /** yyyymmdd */
  readonly date: string
  readonly region: string
  readonly service: string
}

export interface Claim {
  readonly via: 'header' | 'query' | 'form'
  readonly accessKeyId: string
  readonly scope: Scope
  /** Lower case, ascending, each once. */
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** yyyymmddThhmmssZ, and the same as milliseconds since 1970 */
  readonly timestamp: string
  readonly timeMs: number
  readonly securityToken?: string
  /** Only of a presigned request. */
  readonly expiresSeconds?: number
  /** X-Amz-Content-Sha256 as a parameter of a presigned request. */
  readonly contentSha256?: string
}

const algorithm = 'AWS4-HMAC-SHA256'
const algorithmV4a = 'AWS4-ECDSA-P256-SHA256'
/** S3: a presigned request lives a week at most. */
const expiresMaxSeconds = 604_800

/**
 * @returns undefined when the request carries no credentials at all
 * @throws S3Error InvalidArgument | InvalidRequest | AuthorizationHeaderMalformed | AuthorizationQueryParametersError | AccessDenied | NotImplemented
 */
export function claimOf(head: RequestHead, pairs: readonly QueryPair[]): Claim | undefined {
  const authorization = authorizationOf(head)
  const isPresigned = pairs.some(({ name }) => presigningNames.has(name))
  const isSigV2Query = pairs.some(({ name }) => name === 'AWSAccessKeyId') && pairs.some(({ name }) => name === 'Signature')
  if (authorization !== undefined && (isPresigned || isSigV2Query)) {
    throw new S3Error('InvalidArgument', {
      message:
        'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the ' +
        'Authorization header should be specified',
      details: { ArgumentName: 'Authorization' },
    })
  }
  if (isSigV2Query || authorization?.startsWith('AWS ')) throw sigV2()
  if (authorization !== undefined) return headerClaim(head, authorization)
  return isPresigned ? queryClaim(pairs) : undefined
}

function sigV2(): S3Error {
  return new S3Error('InvalidRequest', {
    message: `The authorization mechanism you have provided is not supported. Please use ${algorithm}.`,
  })
}

// --- the Authorization header -----------------------------------------------------------------------------------

/** Node keeps the first of several Authorization headers and drops the rest: the raw list tells. */
function authorizationOf(head: RequestHead): string | undefined {
  const value = headerOf(head, 'authorization')
  if (value === undefined) return undefined
  let count = 0
  for (let at = 0; at < head.rawHeaders.length; at += 2) {
    if (head.rawHeaders[at]?.toLowerCase() === 'authorization') count += 1
  }
  if (count > 1) {
    throw new S3Error('InvalidArgument', {
      message: 'Only one Authorization header is allowed.',
      details: { ArgumentName: 'Authorization' },
    })
  }
  return value
}

function headerClaim(head: RequestHead, authorization: string): Claim {
  const space = authorization.indexOf(' ')
  const scheme = space === -1 ? authorization : authorization.slice(0, space)
  if (scheme === algorithmV4a) throw sigV4a()
  if (scheme !== algorithm) {
    // NOTE: the rest of the value may be a secret of another scheme, so only its first word is repeated.
    throw new S3Error('InvalidArgument', {
      message: 'Unsupported Authorization Type',
      details: { ArgumentName: 'Authorization', ArgumentValue: scheme.slice(0, 64) },
    })
  }
  const parts = componentsOf(space === -1 ? '' : authorization.slice(space + 1))
  const { credential, signedHeaders, signature } = parts
  if (credential === undefined) throw malformedHeader('missing Credential.')
  if (signedHeaders === undefined) throw malformedHeader('missing SignedHeaders.')
  if (signature === undefined) throw malformedHeader('missing Signature.')
  const { accessKeyId, scope } = credentialParts(credential, malformedHeader)
  const { timestamp, timeMs } = timeOf(head)
  if (!timestamp.startsWith(scope.date)) {
    const message = `Invalid credential date "${scope.date}". Date is not the same as X-Amz-Date: "${timestamp.slice(0, 8)}".`
    throw malformedHeader(message)
  }
  const securityToken = headerOf(head, 'x-amz-security-token')
  return {
    via: 'header',
    accessKeyId,
    scope,
    signedHeaders: signedHeaderNames(signedHeaders, malformedHeader),
    signature,
    timestamp,
    timeMs,
    ...(securityToken !== undefined && { securityToken }),
  }
}

interface Components {
  credential?: string
  signedHeaders?: string
  signature?: string
}

function componentsOf(text: string): Components {
  const components: Components = {}
  for (const part of text.split(',')) {
    const component = part.trim()
    const equals = component.indexOf('=')
    const name = componentNames.get(component.slice(0, Math.max(equals, 0)))
    if (name === undefined || components[name] !== undefined) {
      throw malformedHeader('the authorization header requires three components: Credential, SignedHeaders, and Signature.')
    }
    components[name] = component.slice(equals + 1)
  }
  return components
}

const componentNames: ReadonlyMap<string, keyof Components> = new Map([
  ['Credential', 'credential'],
  ['SignedHeaders', 'signedHeaders'],
  ['Signature', 'signature'],
])

/** x-amz-date, or else Date; the string to sign has either in the ISO form. */
function timeOf(head: RequestHead): { timestamp: string; timeMs: number } {
  const text = headerOf(head, 'x-amz-date') ?? headerOf(head, 'date') ?? ''
  const amzMs = parseAmzDate(text)
  if (amzMs !== undefined) return { timestamp: text, timeMs: amzMs }
  const httpMs = parseHttpDate(text)
  if (httpMs === undefined) {
    throw new S3Error('AccessDenied', { message: 'AWS authentication requires a valid Date or x-amz-date header' })
  }
  return { timestamp: formatAmzDate(httpMs), timeMs: httpMs }
}

// --- the query of a presigned request -----------------------------------------------------------------------------

/** Any of these makes a request a presigned one, so that a half-made one is refused and not taken for anonymous. */
const presigningNames: ReadonlySet<string> = new Set(['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature'])

const queryNames: ReadonlySet<string> = new Set([
  ...presigningNames,
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Security-Token',
  'X-Amz-Content-Sha256',
])

function queryClaim(pairs: readonly QueryPair[]): Claim {
  const values = new Map<string, string>()
  for (const { name, value } of pairs) {
    if (!queryNames.has(name)) continue
    if (values.has(name)) throw badQuery(`The query parameter ${name} must not be repeated.`)
    values.set(name, decoded(value))
  }
  const required = (name: string): string => {
    const value = values.get(name)
    if (value !== undefined && value !== '') return value
    throw badQuery(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, ' +
        'X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    )
  }
  const scheme = required('X-Amz-Algorithm')
  if (scheme === algorithmV4a) throw sigV4a()
  if (scheme !== algorithm) throw badQuery(`X-Amz-Algorithm only supports "${algorithm}"`)
  const { accessKeyId, scope } = credentialParts(required('X-Amz-Credential'), malformedCredentialParameter)
  const timestamp = required('X-Amz-Date')
  const timeMs = parseAmzDate(timestamp)
  if (timeMs === undefined) throw badQuery(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
  if (!timestamp.startsWith(scope.date)) {
    throw badQuery(`Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${timestamp.slice(0, 8)}".`)
  }
  const securityToken = values.get('X-Amz-Security-Token')
  const contentSha256 = values.get('X-Amz-Content-Sha256')
  return {
    via: 'query',
    accessKeyId,
    scope,
    signedHeaders: signedHeaderNames(required('X-Amz-SignedHeaders'), badQuery),
    signature: required('X-Amz-Signature'),
    timestamp,
    timeMs,
    expiresSeconds: expiresOf(required('X-Amz-Expires')),
    ...(securityToken !== undefined && { securityToken }),
    ...(contentSha256 !== undefined && { contentSha256 }),
  }
}

/** @param value canonically encoded, so that every escape is whole; its bytes may still be no UTF-8 */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch (cause) {
    throw new S3Error('AuthorizationQueryParametersError', { cause })
  }
}

function expiresOf(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw badQuery('X-Amz-Expires should be a number')
  const seconds = Number(text)
  if (seconds < 0) throw badQuery('X-Amz-Expires must be non-negative')
  if (seconds > expiresMaxSeconds) {
    throw badQuery(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ' +
        `${expiresMaxSeconds} seconds`,
    )
  }
  return seconds
}

// --- both forms ---------------------------------------------------------------------------------------------------

type Malformed = (message: string) => S3Error

/** An access key id may itself hold `/`: the scope is the last four parts. */
function credentialParts(credential: string, malformed: Malformed): { accessKeyId: string; scope: Scope } {
  const parts = credential.split('/')
  const [date = '', region = '', service = '', terminal = ''] = parts.slice(-4)
  const accessKeyId = parts.slice(0, -4).join('/')
  if (accessKeyId === '' || region === '' || service === '') {
    throw malformed('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".')
  }
  if (terminal !== 'aws4_request') throw malformed(`incorrect terminal "${terminal}". This endpoint uses "aws4_request".`)
  if (!/^\d{8}$/.test(date)) {
    throw malformed(`incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`)
  }
  return { accessKeyId, scope: { date, region, service } }
}

/** As the field of a form has it. @throws S3Error AuthorizationQueryParametersError */
export function scopedCredential(credential: string): { accessKeyId: string; scope: Scope } {
  return credentialParts(credential, malformedCredentialParameter)
}

function signedHeaderNames(text: string, malformed: Malformed): string[] {
  const names = text.split(';')
  if (names.some((name) => !/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) || new Set(names).size !== names.length) {
    throw malformed('SignedHeaders must be lower-case header names, each once, separated by ";".')
  }
  return names.sort()
}

function malformedHeader(message: string): S3Error {
  return new S3Error('AuthorizationHeaderMalformed', { message: `The authorization header is malformed; ${message}` })
}

function malformedCredentialParameter(message: string): S3Error {
  return badQuery(`Error parsing the X-Amz-Credential parameter; ${message}`)
}

function badQuery(message: string): S3Error {
  return new S3Error('AuthorizationQueryParametersError', { message })
}

function sigV4a(): S3Error {
  return new S3Error('NotImplemented', { message: `SigV4A signatures (${algorithmV4a}) are not implemented.` })
}
