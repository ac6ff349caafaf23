/** The way of an S3 request, step by step: every refusal that the head allows comes before the first byte of the body. */
import type { Caller } from '../access/caller.ts'
import type { Hashing } from '../lib/hash.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { putObjectMaxBytes } from '../model/limits.ts'
import { checkBucketName, checkKey } from '../model/names.ts'
import { expandedFields, formHeaders } from '../model/post-form.ts'
import { checkPostPolicy, parsePostPolicy } from '../model/post-policy.ts'
import type { ObjectVersion } from '../model/version.ts'
import type { Address } from './address.ts'
import { type Body, bodyHeadersOf, type MeasuredBody, openBody } from './auth/body.ts'
import { headerOf, type RequestHead } from './auth/head.ts'
import { formClaimOf } from './auth/post-form.ts'
import type { Anonymous, Signed } from './auth/verify.ts'
import type { RequestFacts } from './condition-context.ts'
import type { Operation, OperationContext, Target } from './define.ts'
import { readDocument } from './document.ts'
import type { Exchange } from './exchange.ts'
import { formMaxBytes, isForm, openForm } from './form.ts'
import type { Authorization, Confirm, Gate } from './gate.ts'
import { withHoistedHeaders } from './hoisted-headers.ts'
import type { QueryString } from './query-string.ts'
import type { Reply, SlowReply } from './reply.ts'
import type { Router } from './router.ts'
import type { Services } from './services.ts'

/** A request whose head has been taken apart. */
export interface Arrival {
  readonly head: RequestHead
  readonly address: Address
  readonly query: QueryString
}

export interface PipelineParts {
  readonly router: Router
  readonly gate: Gate
  readonly services: Services
  readonly hashing: Hashing
}

export async function answerS3(exchange: Exchange, arrival: Arrival, parts: PipelineParts): Promise<Reply | SlowReply> {
  const { address, query } = arrival
  const headers = withHoistedHeaders(exchange.request.headers, query)
  const head: RequestHead = { ...arrival.head, headers }
  const operation = parts.router.match({ method: head.method, shape: address.shape, query, headers })
  exchange.operation = operation.name
  refuseRegionHeaders(headers)

  const verified = await verifiedBeforeBody(parts.gate, arrival.head, exchange.nowMs)
  const { caller } = verified
  exchange.caller = caller
  const target = await resolveTarget(operation, { ...arrival, head }, parts.gate)
  if (operation.body === 'form') return answerForm(operation, { exchange, verified, target, parts }, { ...arrival, head })
  const input = operation.decode({ bucketName: address.bucketName, key: address.key, query, headers })
  const request = requestFacts(exchange, { operation, headers, query, verified })
  const action = operation.actionOf(input)
  const question = { caller, action, target: operation.targetOf(target, input), request }
  const confirm = operation.asksItself ? undefined : await authorizeTarget(parts.gate, question)

  const stream =
    operation.body === 'none'
      ? noBody
      : openRequestBody({ exchange, head, verified, maxBytes: putObjectMaxBytes, needsLength: operation.body === 'stream' })
  const { document } = operation
  const bytes = document && (await readDocument({ head, body: stream, limits: document, hashing: parts.hashing }))
  return operation.run(new Context({ exchange, verified, caller, target, request, confirm, parts }), input, { stream, bytes })
}

/** The way of a form: who sends it, the key and what would be headers stand in the body, before the file. */
async function answerForm(
  operation: Operation,
  facts: Pick<ContextFacts, 'exchange' | 'verified' | 'target' | 'parts'>,
  { head, query }: Arrival,
): Promise<Reply | SlowReply> {
  const { exchange, parts, target } = facts
  const contentType = headerOf(head, 'content-type')
  if (!isForm(contentType)) {
    throw new S3Error('PreconditionFailed', { details: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' } })
  }
  const body = openRequestBody({ exchange, head, verified: facts.verified, maxBytes: formMaxBytes, needsLength: true })
  const form = await openForm(body, contentType)
  const fields = expandedFields(form.fields, form.fileName)
  const claim = formClaimOf(fields)
  if (claim !== undefined && facts.verified.kind === 'signed') throw twoMechanisms()
  const verified = claim === undefined ? facts.verified : await parts.gate.verifyForm(claim, exchange.nowMs)
  const { bucketName = '' } = target
  const range = claim && checkPostPolicy(parsePostPolicy(claim.policy), { fields, bucketName, nowMs: exchange.nowMs })

  const key = fields.get('key') ?? ''
  checkKey(key)
  const headers = formHeaders(fields)
  refuseRegionHeaders(headers)
  const { caller } = verified
  exchange.caller = caller
  const input = operation.decode({ bucketName, key, query, headers })
  const named = { ...target, key }
  // What conditions ask of headers, the form's fields answer.
  const request = requestFacts(exchange, { operation, headers, query, verified })
  const action = operation.actionOf(input)
  const confirm = await authorizeTarget(parts.gate, { caller, action, target: operation.targetOf(named, input), request })
  const stream: Body = { lengthBytes: undefined, trailers: () => ({}), release() {}, [Symbol.asyncIterator]: () => form.file(range) }
  return operation.run(new Context({ ...facts, verified, caller, target: named, request, confirm }), input, { stream, bytes: undefined })
}

function twoMechanisms(): S3Error {
  return new S3Error('InvalidArgument', { message: 'Only one auth mechanism allowed: the request is signed, and its form is too.' })
}

/** What regions say to each other in `x-farshore-*` is for nobody else to say. @throws S3Error AccessDenied */
function refuseRegionHeaders(headers: RequestHead['headers']): void {
  const name = Object.keys(headers).find((one) => one.startsWith('x-farshore-'))
  if (name !== undefined) throw new S3Error('AccessDenied', { message: `The header ${name} is for messages between regions.` })
}

/** @throws S3Error as `Gate.verify`, and for a signature that was made for another service */
export async function verifiedBeforeBody(gate: Gate, head: RequestHead, nowMs: number): Promise<Anonymous | Signed> {
  const verified = await gate.verify(head, nowMs)
  if (verified.kind === 'anonymous') return verified
  if (verified.kind === 'signed' && verified.scope.service === 's3') return verified
  throw new S3Error('AuthorizationHeaderMalformed', {
    message: `The authorization header is malformed; incorrect service "${verified.scope.service}". This endpoint belongs to "s3".`,
  })
}

async function resolveTarget(operation: Operation, { address, head }: Arrival, gate: Gate): Promise<Target> {
  const { bucketName, key } = address
  if (bucketName !== undefined) checkBucketName(bucketName)
  if (key !== undefined) checkKey(key)
  const isResolved = bucketName !== undefined && operation.needsBucket
  const bucket = isResolved ? await gate.resolveBucket(bucketName, headerOf(head, 'x-amz-expected-bucket-owner')) : undefined
  return { bucket, bucketName, key }
}

function requestFacts(
  { request: { socket }, nowMs }: Exchange,
  of: {
    readonly operation: Operation
    readonly headers: RequestHead['headers']
    readonly query: QueryString
    readonly verified: Anonymous | Signed
  },
): RequestFacts {
  return {
    headers: of.headers,
    query: of.query,
    queryNames: of.operation.queryNames,
    nowMs,
    remoteAddress: socket.remoteAddress,
    secure: 'encrypted' in socket && socket.encrypted === true,
    verified: of.verified,
  }
}

/** Who may not use a bucket is still told its region, as HeadBucket's callers rely on. */
async function authorizeTarget(gate: Gate, question: Authorization): Promise<Confirm | undefined> {
  try {
    return (await gate.authorize(question)) ?? undefined
  } catch (error) {
    const { bucket } = question.target
    if (!(error instanceof S3Error) || bucket === undefined) throw error
    const { code, message, details, cause } = error
    throw new S3Error(code, { message, details, cause, headers: { ...error.headers, 'x-amz-bucket-region': bucket.region } })
  }
}

interface OpenRequest {
  readonly exchange: Exchange
  readonly head: RequestHead
  readonly verified: Anonymous | Signed
  readonly maxBytes: number
  /** Whether a request without any length is refused, as S3 does for objects; otherwise its body is empty. */
  readonly needsLength?: boolean
}

/** @throws S3Error MissingContentLength | EntityTooLarge | InvalidRequest */
export function openRequestBody({ exchange, head, verified, maxBytes, needsLength = false }: OpenRequest): MeasuredBody {
  const seed = verified.kind === 'signed' ? verified.seed : undefined
  const announced = bodyHeadersOf(head)
  // Without either length there is no body at all: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
  const isAbsent = announced.contentLength === undefined && head.headers['transfer-encoding'] === undefined
  const headers = isAbsent && !needsLength ? { ...announced, contentLength: 0 } : announced
  const body = openBody(exchange.body, { payload: verified.payload, headers, ...(seed !== undefined && { seed }) })
  if (body.lengthBytes > maxBytes) {
    throw new S3Error('EntityTooLarge', { details: { ProposedSize: body.lengthBytes, MaxSizeAllowed: maxBytes } })
  }
  return body
}

const noBody: MeasuredBody = {
  lengthBytes: 0,
  trailers: () => ({}),
  release() {},
  async *[Symbol.asyncIterator]() {},
}

interface ContextFacts {
  readonly exchange: Exchange
  readonly verified: Anonymous | Signed
  readonly caller: Caller
  readonly target: Target
  readonly request: RequestFacts
  readonly confirm: Confirm | undefined
  readonly parts: PipelineParts
}

class Context implements OperationContext {
  readonly #facts: ContextFacts

  constructor(facts: ContextFacts) {
    this.#facts = facts
  }

  get caller(): Caller {
    return this.#facts.caller
  }

  get bucket(): Bucket {
    const { bucket } = this.#facts.target
    if (bucket === undefined) throw new Error('an operation without an existing bucket asked for it')
    return bucket
  }

  get services(): Services {
    return this.#facts.parts.services
  }

  get signal(): AbortSignal {
    return this.#facts.exchange.signal
  }

  get requestId(): string {
    return this.#facts.exchange.requestId
  }

  get nowMs(): number {
    return this.#facts.exchange.nowMs
  }

  get secure(): boolean {
    return this.#facts.request.secure
  }

  get signedRegion(): string | undefined {
    const { verified } = this.#facts
    return verified.kind === 'signed' ? verified.scope.region : undefined
  }

  get host(): string {
    return this.#facts.exchange.request.headers.host ?? ''
  }

  confirm(version: ObjectVersion): void {
    this.#facts.confirm?.(version)
  }

  async authorize(action: string, target: Target): Promise<Confirm | undefined> {
    const { caller, request, parts } = this.#facts
    return (await parts.gate.authorize({ caller, action, target, request })) ?? undefined
  }

  async resolveBucket(name: string, expectedOwner?: string): Promise<Bucket> {
    checkBucketName(name)
    return this.#facts.parts.gate.resolveBucket(name, expectedOwner)
  }
}
