/** Objects that are shown beside what is known of them: pictures, sound, films and text, each as a type from this table, in a sandbox. */

import { type Exchange, sendStream } from './exchange.ts'
import type { Answer } from './forward.ts'
import { previewHeaders } from './headers.ts'
import { Refusal } from './refusal.ts'

const images: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/svg+xml'])
const media = /^(audio|video)\/[a-z0-9][a-z0-9.+-]{0,60}$/
/** Read as text, never as what they say: markup and scripts too. */
const texts = /^(text\/[a-z0-9.+-]+|application\/([a-z0-9.-]+\+)?(json|xml|yaml|javascript|x-yaml|x-ndjson|x-sh|toml))$/
const plainText = 'text/plain; charset=utf-8'

/** What passes besides: a media player asks for pieces. */
const passed = ['content-length', 'content-range', 'accept-ranges', 'etag', 'last-modified'] as const
const shown: ReadonlySet<number> = new Set([200, 206])

/** As which type an object is shown; undefined: not at all. */
export function previewType(contentType: string | undefined): string | undefined {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (images.has(type) || media.test(type)) return type
  return texts.test(type) ? plainText : undefined
}

/** @throws Refusal UnsupportedMediaType, or as the region refused */
export async function answerPreview(exchange: Exchange, answer: Answer): Promise<void> {
  const { status, headers, body } = answer
  if (status === 304 || status === 416) {
    exchange.response.writeHead(status, previewHeaders(plainText)).end()
    return
  }
  if (!shown.has(status))
    throw new Refusal(status >= 400 && status < 500 ? status : 502, 'NoPreview', 'The region does not give this object.')
  // What is stored squeezed is shown by nobody who does not unpack it.
  const type = headers['content-encoding'] === undefined ? previewType(headers['content-type']) : undefined
  if (type === undefined) throw new Refusal(415, 'UnsupportedMediaType', 'Objects of this type have no preview.')
  const kept = Object.fromEntries(passed.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])))
  await sendStream(exchange, { status, headers: { ...previewHeaders(type), ...kept }, body })
}
