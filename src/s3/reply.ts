/** What an operation answers: values that the pipeline writes to the wire. */
import type { XmlRoot, XmlValue } from './xml/write.ts'

/** Header values by lower-case name; undefined leaves the header out. */
export type ReplyHeaders = Readonly<Record<string, string | number | undefined>>

export interface XmlBody extends XmlRoot {
  readonly kind: 'xml'
}

/** Bytes whose number is known before the first. A chunk belongs to the writer until it asks for the next one, then it may be overwritten. */
export interface StreamBody {
  readonly kind: 'stream'
  readonly lengthBytes: number
  readonly chunks: AsyncIterable<Uint8Array>
}

export interface Reply {
  readonly status: number
  readonly headers?: ReplyHeaders
  readonly body?: XmlBody | StreamBody | Buffer | string
}

/**
 * An answer that may take longer than clients wait for a first byte. When it does, status 200 and white space go ahead of it,
 * its own headers are lost, and an error becomes an `<Error>` document under that 200, as S3 does for CompleteMultipartUpload and CopyObject.
 */
export interface SlowReply {
  readonly slow: Promise<Reply>
}

/** @example return { status: 200, body: xml('VersioningConfiguration', { Status: 'Enabled' }) } */
export function xml(rootName: string, value: XmlValue): XmlBody {
  return { kind: 'xml', rootName, value }
}

export function stream(lengthBytes: number, chunks: AsyncIterable<Uint8Array>): StreamBody {
  return { kind: 'stream', lengthBytes, chunks }
}

/** @param work begun already; it gets the request's signal from the operation */
export function slow(work: Promise<Reply>): SlowReply {
  return { slow: work }
}

export function isSlow(reply: Reply | SlowReply): reply is SlowReply {
  return 'slow' in reply
}
