/**
 * Object Lock as clients write it: headers of a write, and the configuration of a bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html#API_PutObject_RequestSyntax
 */
import { S3Error } from './errors.ts'
import { type Headers, headerValue } from './headers.ts'
import { dateMaxMs, lockDaysMax, lockYearsMax } from './limits.ts'
import { type BucketObjectLock, type Retention, type RetentionMode, retentionModes } from './object-lock.ts'

export const lockHeaderNames = {
  mode: 'x-amz-object-lock-mode',
  retainUntil: 'x-amz-object-lock-retain-until-date',
  legalHold: 'x-amz-object-lock-legal-hold',
} as const

/** What a request says of the lock of what it writes. */
export interface RequestedLock {
  readonly retention?: Retention
  readonly legalHold?: boolean
}

/** Whether a date lies ahead is for `checkRetainUntil` to say. @throws S3Error InvalidRequest (mode or date alone) | InvalidArgument */
export function parseLockHeaders(headers: Headers): RequestedLock {
  const mode = headerValue(headers, lockHeaderNames.mode)
  const until = headerValue(headers, lockHeaderNames.retainUntil)
  const hold = headerValue(headers, lockHeaderNames.legalHold)
  if ((mode === undefined) !== (until === undefined)) {
    throw new S3Error('InvalidRequest', { message: `${lockHeaderNames.retainUntil} and ${lockHeaderNames.mode} must both be supplied` })
  }
  return {
    ...(mode !== undefined && until !== undefined && { retention: { mode: parseMode(mode), untilMs: parseUntil(until) } }),
    ...(hold !== undefined && { legalHold: parseHold(hold) }),
  }
}

/** @throws S3Error InvalidArgument */
export function checkRetainUntil(retention: Retention | null | undefined, nowMs: number): void {
  if (retention === null || retention === undefined) return
  const refused = (message: string) => invalid(lockHeaderNames.retainUntil, new Date(retention.untilMs).toISOString(), message)
  if (retention.untilMs <= nowMs) throw refused('The retain until date must be in the future!')
  if (retention.untilMs > dateMaxMs) throw refused('The retain until date lies too far ahead.')
}

/** `<Rule>` of `<ObjectLockConfiguration>` as it was read. */
export interface LockRuleInput {
  readonly DefaultRetention: { readonly Mode: RetentionMode; readonly Days?: number | undefined; readonly Years?: number | undefined }
}

/** @throws S3Error MalformedXML (Days and Years, or neither) | InvalidArgument (a period that cannot be) */
export function checkBucketLock(rule: LockRuleInput | undefined): BucketObjectLock {
  if (rule === undefined) return {}
  const { Mode: mode, Days, Years } = rule.DefaultRetention
  if ((Days === undefined) === (Years === undefined)) throw new S3Error('MalformedXML')
  const [unit, count, max] = Days === undefined ? (['Years', Years ?? 0, lockYearsMax] as const) : (['Days', Days, lockDaysMax] as const)
  if (count < 1) throw invalid(unit, String(count), 'Default retention period must be a positive integer value.')
  if (count > max) throw invalid(unit, String(count), `Default retention period is longer than ${max} ${unit.toLowerCase()}.`)
  return { defaultRetention: { mode, period: { unit, count } } }
}

function parseMode(text: string): RetentionMode {
  const mode = retentionModes.find((one) => one === text)
  if (mode === undefined) throw invalid(lockHeaderNames.mode, text, 'Unknown wormMode directive.')
  return mode
}

function parseUntil(text: string): number {
  const untilMs = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(untilMs)) {
    throw invalid(lockHeaderNames.retainUntil, text, 'The retain until date must be provided in ISO 8601 format')
  }
  return untilMs
}

function parseHold(text: string): boolean {
  if (text !== 'ON' && text !== 'OFF') throw invalid(lockHeaderNames.legalHold, text, "Legal hold must be either of 'ON' or 'OFF'")
  return text === 'ON'
}

function invalid(name: string, value: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, details: { ArgumentName: name, ArgumentValue: value.slice(0, 64) } })
}
