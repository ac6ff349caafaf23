/**
 * Whether a request comes from the console's own page. Pages of other origins reach this port too, and the browser adds the cookie when they are
 * of the same site: other ports of this machine are, where objects of users are served.
 */
import { timingSafeEqual } from 'node:crypto'
import { Refusal } from './refusal.ts'

export interface Asked {
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export const csrfHeader = 'x-csrf-token'

/** GET and HEAD change nothing, here as in S3. */
export function isSafe({ method }: Asked): boolean {
  return method === 'GET' || method === 'HEAD'
}

/**
 * What the browser says of where the request comes from. Browsers leave Sec-Fetch-Site out over plain HTTP beyond this machine, and Origin in a GET of
 * the same origin: what is not said is not held against anybody, for what needs a proof has the token.
 * @throws Refusal
 */
export function checkOrigin(asked: Asked): void {
  const site = textOf(asked, 'sec-fetch-site')
  if (site !== undefined) {
    // `none`: typed or bookmarked by the person.
    if (site === 'same-origin' || (site === 'none' && isSafe(asked))) return
    throw crossOrigin()
  }
  const origin = textOf(asked, 'origin')
  if (origin !== undefined && hostOf(origin) !== textOf(asked, 'host')?.toLowerCase()) throw crossOrigin()
}

/** @throws Refusal unless the request shows the session's token, or needs none */
export function checkCsrf(asked: Asked, csrfToken: string): void {
  if (isSafe(asked)) return
  const given = Buffer.from(textOf(asked, csrfHeader) ?? '')
  const expected = Buffer.from(csrfToken)
  if (given.length === expected.length && timingSafeEqual(given, expected)) return
  throw new Refusal(403, 'InvalidCsrfToken', `The header ${csrfHeader} must hold the token of the session.`)
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

function textOf({ headers }: Asked, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

function crossOrigin(): Refusal {
  return new Refusal(403, 'CrossOrigin', "Only the console's own page may ask this.")
}
