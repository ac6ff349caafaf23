/** `/api/session`: signing in, who is signed in, signing out. */
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../s3/log.ts'
import type { Attempts } from './attempts.ts'
import { cookieFor, endedCookie, sessionIdOf } from './cookie.ts'
import { type Exchange, isSecureExchange, readJson, sendJson, sendNothing } from './exchange.ts'
import { checkCsrf } from './guard.ts'
import { Refusal } from './refusal.ts'
import type { Session, Sessions } from './sessions.ts'
import { callerOf, credentialsOf, readSignIn, type SignInParts } from './sign-in.ts'

export interface SessionParts extends SignInParts {
  readonly sessions: Sessions
  readonly attempts: Attempts
  /** The region that keeps names and identities; undefined before anybody has said. */
  readonly home: () => string | undefined
  readonly clock: Clock
  readonly log: Log
}

const bodyMaxBytes = 32 * 1024
/** Their keys are gone: asking again will not help. */
const keyStatus = 403

export async function answerSession(exchange: Exchange, parts: SessionParts): Promise<void> {
  const { method = '' } = exchange.request
  switch (method) {
    case 'POST':
      return await signIn(exchange, parts)
    case 'GET':
    case 'HEAD':
      return await tellSession(exchange, parts)
    case 'DELETE':
      return signOut(exchange, parts)
    default:
      throw new Refusal(405, 'MethodNotAllowed', 'The methods of this address are GET, POST and DELETE.', {
        allow: 'GET, HEAD, POST, DELETE',
      })
  }
}

/** @throws Refusal Unauthorized */
export function sessionOf({ request }: Pick<Exchange, 'request'>, sessions: Sessions): Session {
  const session = sessions.find(sessionIdOf(request))
  if (session === undefined) throw new Refusal(401, 'Unauthorized', 'Nobody is signed in here, or the session is over.')
  return session
}

async function signIn(exchange: Exchange, parts: SessionParts): Promise<void> {
  const { request, signal } = exchange
  const { attempts, sessions, log } = parts
  const address = request.socket.remoteAddress ?? ''
  const given = readSignIn(await readJson(exchange, bodyMaxBytes))
  const begun = await attempts
    .try(address, async () => {
      const credentials = credentialsOf(given, parts)
      return { credentials, caller: await callerOf(credentials, parts, signal) }
    })
    .catch((error: unknown) => {
      if (error instanceof Refusal) log.warn({ address, code: error.code }, 'a sign-in to the console was refused')
      throw error
    })
  // The name of a session is always made here, and an old one of this browser ends.
  sessions.end(sessionIdOf(request))
  const session = sessions.begin(begun)
  const { accountId, arn } = session.caller
  log.info({ address, accountId, arn, isByLink: 'link' in given }, 'somebody signed in to the console')
  const cookie = { 'set-cookie': cookieFor(session.id, isSecureExchange(exchange)) }
  sendJson(exchange, 200, await describe(session, parts), cookie)
}

/** A key that was taken away meanwhile is found here too. */
async function tellSession(exchange: Exchange, parts: SessionParts): Promise<void> {
  const { sessions } = parts
  const session = sessionOf(exchange, sessions)
  try {
    await callerOf(session.credentials, parts, exchange.signal)
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== keyStatus) throw error
    sessions.end(session.id)
    throw new Refusal(401, 'Unauthorized', 'The key of this session does not work any more.', {
      'set-cookie': endedCookie(isSecureExchange(exchange)),
    })
  }
  sendJson(exchange, 200, await describe(session, parts))
}

function signOut(exchange: Exchange, { sessions }: SessionParts): void {
  const session = sessionOf(exchange, sessions)
  checkCsrf(exchange.request as Parameters<typeof checkCsrf>[0], session.csrfToken) // node gives every request a method
  sessions.end(session.id)
  sendNothing(exchange, { 'set-cookie': endedCookie(isSecureExchange(exchange)) })
}

async function describe({ caller, csrfToken }: Session, { regions, home, clock }: SessionParts): Promise<object> {
  return { caller, csrfToken, self: regions.self, home: home() ?? null, regions: await regions.sight(clock.nowMs()) }
}
