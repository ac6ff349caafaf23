/** What passes between a browser and a region, and what every answer of this origin says for itself. */
import type { IncomingHttpHeaders } from 'node:http'

/** On every answer. https://owasp.org/www-project-secure-headers/ */
const always = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
} as const

/** NOTE: what is stored belongs to whoever uploaded it: nothing of it may run, or be taken for the console's own. */
const sandbox = "sandbox; default-src 'none'"

export function pageHeaders(nonce: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "font-src 'self'",
    "media-src 'self' blob:",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return { ...always, 'content-security-policy': policy, 'cache-control': 'no-store' }
}

export function assetHeaders(): Record<string, string> {
  return {
    ...always,
    'content-security-policy': `${sandbox}; frame-ancestors 'none'`,
    'cache-control': 'public, max-age=31536000, immutable',
  }
}

/** Of answers that are the console's own, in JSON. */
export function answerHeaders(): Record<string, string> {
  return { ...always, 'content-security-policy': `${sandbox}; frame-ancestors 'none'`, 'cache-control': 'no-store' }
}

/** Of what a region answered: bytes for the page to read or for the disk, never for the browser to show. */
export function forwardedHeaders(answered: IncomingHttpHeaders): Record<string, string | string[]> {
  const disposition = answered['content-disposition']
  return {
    ...passed(answered, isSafeAnswer),
    ...answerHeaders(),
    // With a file's name, if there is one; in a form that browsers show, never.
    'content-disposition': typeof disposition === 'string' && /^attachment\s*(;|$)/i.test(disposition) ? disposition : 'attachment',
  }
}

/** Of an object that is shown beside what is known of it. The console's own page alone may frame it. */
export function previewHeaders(type: string): Record<string, string> {
  return {
    ...always,
    'x-frame-options': 'SAMEORIGIN',
    'content-security-policy': `${sandbox}; style-src 'unsafe-inline'; frame-ancestors 'self'`,
    'cache-control': 'no-store',
    'content-type': type,
    'content-disposition': 'inline',
  }
}

/** What a person may say to S3 through the page; cookies, and all that a browser says of itself, stay here. */
export function askedHeaders(asked: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(passed(asked, isSafeQuestion))) kept[name] = Array.isArray(value) ? value.join(',') : value
  return kept
}

const questions: ReadonlySet<string> = new Set([
  'content-type',
  'content-md5',
  'content-encoding',
  'content-disposition',
  'content-language',
  'expires',
  'range',
])
/** Said by the signature, which is made here; and those of bodies in signed pieces, which no page sends. */
const signatures: ReadonlySet<string> = new Set([
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-decoded-content-length',
  'x-amz-trailer',
])

function isSafeQuestion(name: string): boolean {
  return questions.has(name) || name.startsWith('if-') || (name.startsWith('x-amz-') && !signatures.has(name))
}

/** NOTE: without Location: a browser would follow it to another origin. */
const answers: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-range',
  'content-encoding',
  'content-language',
  'accept-ranges',
  'etag',
  'last-modified',
  'retry-after',
  'expires',
])

function isSafeAnswer(name: string): boolean {
  return answers.has(name) || name.startsWith('x-amz-')
}

function passed(headers: IncomingHttpHeaders, isPassed: (name: string) => boolean): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && isPassed(name)) kept[name] = value
  }
  return kept
}
