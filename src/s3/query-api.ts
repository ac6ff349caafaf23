/**
 * The place of IAM and STS on this port: AWS's query protocol, a form in and XML out.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/programming.html
 */
import type { Caller } from '../access/caller.ts'
import { S3Error } from '../model/errors.ts'
import { readWhole } from './auth/body.ts'
import { headerOf, type RequestHead } from './auth/head.ts'
import { sha256Hex } from './auth/signature.ts'
import type { Anonymous, Signed } from './auth/verify.ts'
import type { ResponseIds } from './errors-out.ts'
import type { Exchange } from './exchange.ts'
import type { Gate } from './gate.ts'
import { type Arrival, openRequestBody } from './pipeline.ts'
import { QueryString } from './query-string.ts'
import type { Reply } from './reply.ts'
import { writeXml, type XmlValue } from './xml/write.ts'

export type QueryService = 'iam' | 'sts'

export interface QueryOrigin {
  readonly sourceIp?: string
  readonly isSecure?: boolean
  readonly userAgent?: string
}

export interface QueryCall {
  readonly service: QueryService
  /** `CreateRole`; not checked to exist. */
  readonly action: string
  readonly parameters: QueryString
  /** Anonymous only for a call that brings a token of its own. */
  readonly caller: Caller
  /** What policies may ask about the request beside who makes it; never from what a client says of itself but for its user agent. */
  readonly origin?: QueryOrigin
  readonly requestId: string
  readonly nowMs: number
  readonly signal: AbortSignal
}

/**
 * Performs one call.
 * @returns what stands in `<ActionResult>`; undefined for actions without a result
 * @throws S3Error InvalidAction for an unknown action, and the action's own
 */
export type QueryHandler = (call: QueryCall) => Promise<XmlValue>

const namespaces: Readonly<Record<QueryService, string>> = {
  iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
}

/** IAM: policy documents are at most 10,240 characters, escaped at most three bytes each; a form has few of them. */
const formMaxBytes = 256 * 1024

/** S3 has no POST on the service, and no action in a query: both are a call of IAM or STS. */
export function isQueryCall({ head, address, query }: Arrival): boolean {
  return address.shape === 'service' && (head.method === 'POST' || (head.method === 'GET' && query.has('Action')))
}

export async function answerQuery(exchange: Exchange, arrival: Arrival, parts: { gate: Gate; query: QueryHandler }): Promise<Reply> {
  const { requestId, nowMs } = exchange
  exchange.errorForm = (error) => queryErrorReply(error, { ids: exchange, service: claimedService(arrival.head) })
  const { verified, form } = await readCall(exchange, arrival, parts.gate)
  const service = verified.kind === 'anonymous' ? unsignedService(form) : verified.scope.service
  if (service !== 'iam' && service !== 'sts')
    throw new S3Error('MethodNotAllowed', { details: { Method: arrival.head.method, ResourceType: 'SERVICE' } })

  const action = form.get('Action') ?? ''
  // The name becomes that of an element.
  if (!/^[A-Za-z]{1,128}$/.test(action)) throw new S3Error('InvalidAction')
  exchange.operation = `${service}:${action}`
  const { caller } = verified
  exchange.caller = caller
  const origin = originOf(exchange, arrival.head)
  const result = await parts.query({ service, action, parameters: form, caller, origin, requestId, nowMs, signal: exchange.signal })
  return queryReply(`${action}Response`, { service, requestId, content: { [`${action}Result`]: result } })
}

/** The calls that nobody signs are of STS. @throws S3Error MissingAuthenticationToken for every other */
function unsignedService(form: QueryString): QueryService {
  if (form.get('Action') !== 'AssumeRoleWithWebIdentity') throw new S3Error('MissingAuthenticationToken')
  return 'sts'
}

function originOf({ request: { socket } }: Exchange, head: RequestHead): QueryOrigin {
  const { remoteAddress } = socket
  const userAgent = headerOf(head, 'user-agent')
  return {
    ...(remoteAddress !== undefined && { sourceIp: remoteAddress.replace(/^::ffff:(?=[0-9.]+$)/, '') }),
    isSecure: 'encrypted' in socket && socket.encrypted === true,
    ...(userAgent !== undefined && { userAgent }),
  }
}

async function readCall(
  exchange: Exchange,
  { head, query }: Arrival,
  gate: Gate,
): Promise<{ verified: Anonymous | Signed; form: QueryString }> {
  const verified = await gate.verify(head, exchange.nowMs)
  const limits = { maxBytes: formMaxBytes, code: 'MaxMessageLengthExceeded' } as const
  if (verified.kind === 'awaiting-body') {
    const bytes = await readWhole(exchange.body, limits)
    return { verified: verified.complete(sha256Hex(bytes)), form: formOf(head, query, bytes) }
  }
  const body = openRequestBody({ exchange, head, verified, maxBytes: formMaxBytes })
  return { verified, form: formOf(head, query, await readWhole(body, limits)) }
}

function formOf({ method }: RequestHead, query: QueryString, bytes: Buffer): QueryString {
  return method === 'POST' ? new QueryString(bytes.toString('latin1')) : query
}

/** For errors before the signature is verified: it only chooses the namespace of the error. */
function claimedService({ headers, rawQuery }: RequestHead): QueryService {
  return `${headers['authorization'] ?? ''}${rawQuery}`.includes('iam') ? 'iam' : 'sts'
}

function queryReply(
  rootName: string,
  { service, requestId, content }: { service: QueryService; requestId: string; content: Readonly<Record<string, XmlValue>> },
): Reply {
  const value = { ...content, ResponseMetadata: { RequestId: requestId } }
  const headers = { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }
  return { status: 200, headers, body: writeXml({ rootName, value, namespace: namespaces[service] }) }
}

function queryErrorReply(error: S3Error, { ids, service }: { ids: ResponseIds; service: QueryService }): Reply {
  const { status, message } = error
  // The one code that IAM and STS call otherwise than S3.
  const code = error.code === 'InvalidAccessKeyId' ? 'InvalidClientTokenId' : error.code
  const value = { Error: { Type: status >= 500 ? 'Receiver' : 'Sender', Code: code, Message: message }, RequestId: ids.requestId }
  const headers = { 'content-type': 'text/xml', 'x-amzn-requestid': ids.requestId, ...error.headers }
  return { status, headers, body: writeXml({ rootName: 'ErrorResponse', value, namespace: namespaces[service] }) }
}
