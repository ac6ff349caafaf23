/** Where the members of an operation's input stand in the request, and what they must look like. */
import type { IncomingHttpHeaders } from 'node:http'
import { S3Error, type S3ErrorCode } from '../model/errors.ts'
import type { QueryString } from './query-string.ts'
import type { XmlDocument } from './xml/shapes.ts'

/** The head of a request, taken apart. */
export interface RequestParts {
  readonly bucketName: string | undefined
  readonly key: string | undefined
  readonly query: QueryString
  /** As node gives them: lower-case names, repeated ones joined. */
  readonly headers: IncomingHttpHeaders
}

/** Known from the head, before the caller is authorised. */
export interface Member<out T> {
  readonly stage: 'head'
  /** The query parameter that it reads: one that S3 gives a meaning and no member reads is refused. */
  readonly queryName: string | undefined
  decode(parts: RequestParts): T
}

/** Read from the body, after the caller is authorised. */
export interface BodyMember<out T> {
  readonly stage: 'body'
  readonly maxBytes: number
  /** Whether Content-MD5 or a checksum must come with the body. `md5-only`: the checksum headers speak of something else than the body. */
  readonly integrity: 'optional' | 'required' | 'md5-only'
  decode(bytes: Uint8Array): T
}

export type Members = Readonly<Record<string, Member<unknown> | BodyMember<unknown>>>
/** The values that members decode to. */
export type InputOf<M> = { readonly [N in keyof M]: M[N] extends Member<infer T> ? T : M[N] extends BodyMember<infer T> ? T : never }
/** Those that are known before the body is read. */
export type HeadInputOf<M> = {
  readonly [N in keyof M as M[N] extends Member<unknown> ? N : never]: M[N] extends Member<infer T> ? T : never
}

/** A member that stands as text in the head. It is required until `optional()`. */
export class TextMember<out T> implements Member<T> {
  readonly stage = 'head'
  readonly queryName: string | undefined
  readonly #find: (parts: RequestParts) => string | undefined
  readonly #parse: (text: string) => T
  readonly #missing: () => S3Error

  constructor(find: (parts: RequestParts) => string | undefined, parse: (text: string) => T, missing: () => S3Error, queryName?: string) {
    this.#find = find
    this.#parse = parse
    this.#missing = missing
    this.queryName = queryName
  }

  decode(parts: RequestParts): T {
    const text = this.#find(parts)
    if (text === undefined) throw this.#missing()
    return this.#parse(text)
  }

  /** undefined when it is absent. An empty value is not absent. */
  optional(): Member<T | undefined> {
    return {
      stage: 'head',
      queryName: this.queryName,
      decode: (parts) => {
        const text = this.#find(parts)
        return text === undefined ? undefined : this.#parse(text)
      },
    }
  }

  /** Turned into a value by a rule of `model/`, which throws the S3Error for a wrong one. */
  map<U>(parse: (value: T) => U): TextMember<U> {
    return new TextMember(this.#find, (text) => parse(this.#parse(text)), this.#missing, this.queryName)
  }

  /** @throws S3Error InvalidArgument, or `code`, for any other value */
  oneOf<const V extends readonly string[]>(values: V, code: S3ErrorCode = 'InvalidArgument'): TextMember<V[number]> {
    return this.map((value) => {
      if (typeof value !== 'string' || !values.includes(value)) throw new S3Error(code, { details: { ArgumentValue: String(value) } })
      return value
    })
  }
}

/** The bucket's name, as the path or the host gives it. */
export function bucketName(): Member<string> {
  return { stage: 'head', queryName: undefined, decode: ({ bucketName: name }) => present(name, 'Bucket') }
}

/** The object's key, decoded; its rules have been checked. */
export function objectKey(): Member<string> {
  return { stage: 'head', queryName: undefined, decode: ({ key }) => present(key, 'Key') }
}

/** The router gives a route with {Bucket} or {Key+} only requests that have them; this is for a wrong `operation()`. */
function present(value: string | undefined, label: string): string {
  if (value === undefined) throw new Error(`the route of this operation has no {${label}}`)
  return value
}

/** @param name lower-case; absent and required → InvalidRequest */
export function header(name: string): TextMember<string> {
  const missing = () => new S3Error('InvalidRequest', { message: `Missing required header for this request: ${name}` })
  return new TextMember(
    ({ headers }) => oneValue(headers[name]),
    (text) => text,
    missing,
  )
}

function oneValue(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}

/** A query parameter, decoded; absent and required → InvalidArgument, given twice → InvalidArgument. */
export function query(name: string): TextMember<string> {
  const missing = () => invalidArgument(name, '', `This request must have the query parameter ${name}`)
  return new TextMember(
    ({ query: parameters }) => onlyValue(parameters, name),
    (text) => text,
    missing,
    name,
  )
}

function onlyValue(parameters: QueryString, name: string): string | undefined {
  const value = parameters.get(name)
  if (parameters.isRepeated(name)) throw invalidArgument(name, value ?? '', `The query parameter ${name} is repeated`)
  return value
}

/** A decimal integer; anything else, or outside min..max → InvalidArgument. */
export function integerQuery(name: string, limits: { readonly min?: number; readonly max?: number } = {}): TextMember<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = limits
  return query(name).map((text) => {
    const value = /^[+-]?[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    const range = max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer between ${min} and ${max}`
    throw invalidArgument(name, text, `${name} must be ${range}`)
  })
}

function invalidArgument(name: string, value: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, details: { ArgumentName: name, ArgumentValue: value } })
}

/** Several headers by a rule of `model/`: checksums, grants, conditions, user metadata. */
export function headers<T>(parse: (all: IncomingHttpHeaders) => T): Member<T> {
  return { stage: 'head', queryName: undefined, decode: (parts) => parse(parts.headers) }
}

export interface BodyOptions {
  readonly integrity?: BodyMember<unknown>['integrity']
}

/** The body as an XML document. Empty → MissingRequestBodyError; too large → MaxMessageLengthExceeded. */
export function xmlBody<T>(document: XmlDocument<T>, options: BodyOptions = {}): BodyMember<T> {
  return {
    stage: 'body',
    maxBytes: document.maxBytes,
    integrity: options.integrity ?? 'optional',
    decode(bytes) {
      if (bytes.length === 0) throw new S3Error('MissingRequestBodyError')
      return document.decode(bytes)
    },
  }
}

/** As `xmlBody`; an empty body is undefined. */
export function optionalXmlBody<T>(document: XmlDocument<T>, options: BodyOptions = {}): BodyMember<T | undefined> {
  const required = xmlBody(document, options)
  return { ...required, decode: (bytes) => (bytes.length === 0 ? undefined : required.decode(bytes)) }
}

/** The body as text. Empty → MissingRequestBodyError; too large → MaxMessageLengthExceeded. */
export function textBody({ maxBytes }: { readonly maxBytes: number }): BodyMember<string> {
  return {
    stage: 'body',
    maxBytes,
    integrity: 'optional',
    decode(bytes) {
      if (bytes.length === 0) throw new S3Error('MissingRequestBodyError')
      return Buffer.from(bytes).toString('utf8')
    },
  }
}
