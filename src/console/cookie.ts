/** The cookie that names a session. It holds a random name and nothing else. */
import type { IncomingMessage } from 'node:http'

const cookieName = 'farshore_console'
const attributes = 'HttpOnly; SameSite=Strict; Path=/'

/**
 * @returns undefined without one, and with several: ports of one host share their cookies, so that a second one may be a stranger's, put there for
 *   somebody to work in the stranger's session
 */
export function sessionIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${cookieName}=`))
    .map((pair) => pair.slice(cookieName.length + 1))
  return values.length === 1 ? values[0] : undefined
}

export function cookieFor(id: string, { isSecure }: { readonly isSecure: boolean }): string {
  return `${cookieName}=${id}; ${attributes}${isSecure ? '; Secure' : ''}`
}

export function endedCookie({ isSecure }: { readonly isSecure: boolean }): string {
  return `${cookieName}=; Max-Age=0; ${attributes}${isSecure ? '; Secure' : ''}`
}

/** Whether the person's browser speaks TLS, here or to a proxy. Whoever says so falsely narrows its own cookie. */
export function isSecure({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): boolean {
  if ('encrypted' in socket && socket.encrypted === true) return true
  const forwarded = headers['x-forwarded-proto']
  if (typeof forwarded === 'string' && forwarded.split(',', 1)[0]?.trim() === 'https') return true
  return headers.origin?.startsWith('https://') === true
}
