/** Turns whatever was thrown into what the client may know, and into one line of the log where we should know more. */
import { S3Error } from '../model/errors.ts'
import type { Log } from './log.ts'
import type { Reply } from './reply.ts'
import { writeElement, type XmlValue, xmlProlog } from './xml/write.ts'

/** The ids of one answer: headers x-amz-request-id and x-amz-id-2, RequestId and HostId in an error. */
export interface ResponseIds {
  readonly requestId: string
  readonly hostId: string
}

/** A foreign error becomes InternalError, its cause kept for the log. */
export function toS3Error(error: unknown): S3Error {
  return error instanceof S3Error ? error : new S3Error('InternalError', { cause: error })
}

/** What was too much is over soon, or it is overload: then who waits helps. */
const retryAfterSeconds = 1

/** `<Error>` has no namespace in S3. */
export function errorReply(error: S3Error, ids: ResponseIds): Reply {
  const { status, headers } = error
  if (status === 304) return { status, headers }
  const standard = { 'content-type': 'application/xml', ...(error.code === 'SlowDown' ? { 'retry-after': retryAfterSeconds } : {}) }
  return { status, headers: { ...standard, ...headers }, body: xmlProlog + errorElement(error, ids) }
}

/** The element alone, for an answer that has begun. */
export function errorElement({ code, message, details }: S3Error, { requestId, hostId }: ResponseIds): string {
  const value: XmlValue = { Code: code, Message: message, ...details, RequestId: requestId, HostId: hostId }
  return writeElement('Error', value)
}

/** What the server's keeper should see: failures of the server, not of requests. */
export function logFailure(log: Log, error: S3Error, facts: { readonly requestId: string; readonly operation?: string | undefined }): void {
  // Refusals for too much work are told together, by who refuses.
  if (error.status < 500 || error.code === 'NotImplemented' || error.code === 'SlowDown') return
  const fields = { ...facts, code: error.code, err: error.cause ?? error }
  if (error.code === 'InternalError') log.error(fields, 'request failed')
  else log.warn(fields, 'request refused')
}
