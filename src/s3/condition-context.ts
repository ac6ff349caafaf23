/**
 * What policies may ask about a request: condition keys and variables, each from the place that nobody but the server or a signature can fill.
 * NOTE: a header that is named like a key is not the key, and X-Forwarded-For is nobody's address.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
 */
import type { IncomingHttpHeaders } from 'node:http'
import { type Caller, isPrincipal } from '../access/caller.ts'
import { principalKeys } from '../access/principal-keys.ts'
import { headerValue } from '../model/headers.ts'
import { lockHeaderNames } from '../model/object-lock-input.ts'
import { PolicyContext } from '../model/policy-context.ts'
import type { Tag } from '../model/tags.ts'
import { parseAmzDate } from './auth/time.ts'
import type { Anonymous, Signed } from './auth/verify.ts'
import type { Target } from './define.ts'
import type { QueryString } from './query-string.ts'

/** A request as far as conditions speak of it. */
export interface RequestFacts {
  /** With those that a presigned query holds. */
  readonly headers: IncomingHttpHeaders
  readonly query: QueryString
  /** Query parameters that the operation reads: others say nothing. */
  readonly queryNames: ReadonlySet<string>
  readonly nowMs: number
  /** Of the socket. */
  readonly remoteAddress: string | undefined
  readonly secure: boolean
  readonly verified: Anonymous | Signed
}

export interface ContextFacts {
  readonly request: RequestFacts
  readonly caller: Caller
  readonly action: string
  readonly target: Target
  /** Twelve digits. */
  readonly resourceAccount: string | undefined
  /** Of the version that the action is about; `unread` until somebody asks. */
  readonly tags: readonly Tag[] | 'unread'
}

type Values = Record<string, string | readonly string[] | undefined>

export class RequestContext extends PolicyContext {
  readonly #isUnread: boolean
  readonly #hasTagsInBody: boolean
  /** Set when a policy asked for a tag of an object that has not been read: its answer does not count then. */
  misses = false
  /** The same of tags that stand in the body of the request. */
  missesBody = false

  constructor(facts: ContextFacts) {
    super(present({ ...requestValues(facts.request), ...callerValues(facts.caller), ...targetValues(facts) }))
    this.#isUnread = facts.tags === 'unread'
    this.#hasTagsInBody = facts.target.tags === 'inBody'
  }

  override values(name: string): readonly string[] | undefined {
    if (this.#hasTagsInBody && /^s3:requestobjecttag/i.test(name)) this.missesBody = true
    if (this.#isUnread && /^s3:existingobjecttag\//i.test(name)) this.misses = true
    return super.values(name)
  }
}

function present(values: Values): Record<string, string | readonly string[]> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

function requestValues({ headers, nowMs, remoteAddress, secure, verified, query }: RequestFacts): Values {
  const isSigned = verified.kind === 'signed'
  return {
    'aws:CurrentTime': new Date(nowMs).toISOString(),
    'aws:EpochTime': String(Math.floor(nowMs / 1000)),
    'aws:SecureTransport': String(secure),
    // An IPv6 address may name the interface it came by.
    'aws:SourceIp': remoteAddress?.replace(/%.*$/, ''),
    'aws:UserAgent': headerValue(headers, 'user-agent'),
    'aws:Referer': headerValue(headers, 'referer'),
    'aws:ViaAWSService': 'false',
    'aws:PrincipalIsAWSService': 'false',
    's3:x-amz-content-sha256': headerValue(headers, 'x-amz-content-sha256'),
    's3:signatureversion': isSigned ? 'AWS4-HMAC-SHA256' : undefined,
    's3:authType': isSigned ? authTypes[verified.via] : undefined,
    's3:signatureAge': isSigned ? signatureAge(verified, { headers, query, nowMs }) : undefined,
  }
}

/** Milliseconds since it was made. */
const authTypes = { header: 'REST-HEADER', query: 'REST-QUERY-STRING', form: 'POST' } as const

function signatureAge({ via }: Signed, { headers, query, nowMs }: Pick<RequestFacts, 'headers' | 'query' | 'nowMs'>): string | undefined {
  const date = via === 'query' ? query.get('X-Amz-Date') : headerValue(headers, 'x-amz-date')
  const madeMs = date === undefined ? undefined : parseAmzDate(date)
  return madeMs === undefined ? undefined : String(Math.max(nowMs - madeMs, 0))
}

function callerValues(caller: Caller): Values {
  return isPrincipal(caller) ? principalKeys(caller) : { 'aws:PrincipalType': 'Anonymous' }
}

function targetValues({ request, action, target, resourceAccount, tags }: ContextFacts): Values {
  return {
    'aws:RequestedRegion': target.bucket?.region,
    'aws:ResourceAccount': resourceAccount,
    's3:ResourceAccount': resourceAccount,
    's3:VersionId': target.versionId,
    // The one service that a role is passed to here.
    'iam:PassedToService': action === 'iam:PassRole' ? 's3.amazonaws.com' : undefined,
    ...(target.key === undefined && listValues(request)),
    ...(writingActions.has(action) && headerValues(request.headers)),
    ...(lockingActions.has(action) && lockValues(request, target)),
    ...(taggingActions.has(action) && requestTagValues(target.tags === undefined || target.tags === 'inBody' ? [] : target.tags)),
    ...(tags !== 'unread' && Object.fromEntries(tags.map(({ Key, Value }) => [`s3:ExistingObjectTag/${Key}`, Value]))),
  }
}

/** Of listings alone: a key in the path is no listing, whatever the query says beside it. */
function listValues({ query, queryNames }: RequestFacts): Values {
  const read = (name: string) => (queryNames.has(name) ? query.get(name) : undefined)
  return { 's3:prefix': read('prefix'), 's3:delimiter': read('delimiter'), 's3:max-keys': read('max-keys') }
}

/** What the headers of a request say about what it writes: nothing about the source of a copy. */
const writingActions: ReadonlySet<string> = new Set([
  's3:CreateBucket',
  's3:PutBucketAcl',
  's3:PutObject',
  's3:PutObjectAcl',
  's3:PutObjectTagging',
  's3:PutObjectVersionAcl',
])
const taggingActions: ReadonlySet<string> = new Set(['s3:PutObject', 's3:PutObjectTagging', 's3:PutObjectVersionTagging'])
const keyHeaders = [
  'x-amz-acl',
  'x-amz-copy-source',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
  'x-amz-metadata-directive',
  'x-amz-object-ownership',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
]

function headerValues(headers: IncomingHttpHeaders): Values {
  return Object.fromEntries(keyHeaders.map((name) => [`s3:${name}`, headerValue(headers, name)]))
}

const lockingActions: ReadonlySet<string> = new Set([
  's3:BypassGovernanceRetention',
  's3:PutObject',
  's3:PutObjectLegalHold',
  's3:PutObjectRetention',
])
const dayMs = 24 * 60 * 60 * 1000

/** The lock that a request asks for: in the headers of a write, or in the body that the operation has read. */
function lockValues({ headers, nowMs }: RequestFacts, { lock, isNew }: Target): Values {
  if (lock !== undefined) {
    const { retention, legalHold } = lock
    const until = retention?.untilMs === undefined ? undefined : new Date(retention.untilMs).toISOString()
    const hold = legalHold === undefined ? undefined : legalHold ? 'ON' : 'OFF'
    return lockKeys({ mode: retention?.mode, until, hold }, nowMs)
  }
  // Where nothing is written they are not read, and say nothing.
  if (isNew !== true) return {}
  const [mode, until, hold] = [lockHeaderNames.mode, lockHeaderNames.retainUntil, lockHeaderNames.legalHold].map((name) =>
    headerValue(headers, name),
  )
  return lockKeys({ mode, until, hold }, nowMs)
}

function lockKeys({ mode, until, hold }: Readonly<Record<'mode' | 'until' | 'hold', string | undefined>>, nowMs: number): Values {
  const untilMs = Date.parse(until ?? '')
  return {
    's3:object-lock-mode': mode,
    's3:object-lock-retain-until-date': until,
    's3:object-lock-remaining-retention-days': Number.isNaN(untilMs) ? undefined : String(Math.ceil((untilMs - nowMs) / dayMs)),
    's3:object-lock-legal-hold': hold,
  }
}

function requestTagValues(tags: readonly Tag[]): Values {
  if (tags.length === 0) return {}
  return {
    's3:RequestObjectTagKeys': tags.map(({ Key }) => Key),
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`s3:RequestObjectTag/${Key}`, Value])),
  }
}
