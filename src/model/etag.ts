/**
 * Entity tags. Inside they are bare (`d41d8…`, `d41d8…-2`); on the wire they stand in double quotes.
 */
import { hash } from 'node:crypto'

/** @example quoteEtag('d41d8…') === '"d41d8…"' */
export function quoteEtag(etag: string): string {
  return `"${etag}"`
}

/** Clients send ETags in a body with quotes or without them; both name the same. */
export function unquoteEtag(text: string): string {
  const trimmed = text.trim()
  return trimmed.length >= 2 && trimmed.startsWith('"') && trimmed.endsWith('"') ? trimmed.slice(1, -1) : trimmed
}

/**
 * The ETag of a completed upload: the MD5 of its parts' MD5s, and how many there are.
 * @param partMd5s the parts' MD5 in lower-case hex, in the object's order
 */
export function multipartEtag(partMd5s: readonly string[]): string {
  return `${hash('md5', Buffer.from(partMd5s.join(''), 'hex'), 'hex')}-${partMd5s.length}`
}
