/**
 * The server of the console: the application's files, sessions, and what it asks of the regions on a person's behalf. It knows a person's key and
 * nothing more: what may be done, the regions decide.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../s3/log.ts'
import { Attempts } from './attempts.ts'
import { endedCookie } from './cookie.ts'
import { type Exchange, isSecureExchange, leaveBody, readBody, readJson, sendJson, sendRefusal, sendStream } from './exchange.ts'
import { type Answer, Forwarder, type Question, readRefusal, streamOf } from './forward.ts'
import { checkCsrf, checkOrigin, isSafe } from './guard.ts'
import { askedHeaders, forwardedHeaders } from './headers.ts'
import { type SignInLink, SignInLinks } from './links.ts'
import { answerAsset, answerPage } from './pages.ts'
import { presignedUrl } from './presign.ts'
import { answerPreview } from './preview.ts'
import { Refusal } from './refusal.ts'
import { type ConsoleRegion, ConsoleRegions } from './regions.ts'
import { type Route, routeOf } from './route.ts'
import { answerSession, type SessionParts, sessionOf } from './session-routes.ts'
import { type Session, Sessions } from './sessions.ts'
import type { Credentials } from './sign.ts'

export interface ConsoleParts {
  /** Where the built application lies. */
  readonly folder: string
  readonly self: string
  /** All of them, as this process reaches them. */
  readonly regions: readonly ConsoleRegion[]
  /** The root of the first account. */
  readonly operator: { readonly accountId: string; readonly credentials: Credentials }
  readonly home: () => string | undefined
  readonly clock: Clock
  readonly log: Log
}

export interface Console {
  /** Answers one request. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** For the operator's root, once. */
  makeLink(): SignInLink
  /** Ends all sessions. */
  close(): Promise<void>
}

/** Forms of IAM and STS, as the region limits them. */
const formMaxBytes = 256 * 1024
const adminMaxBytes = 1024 * 1024
const presignMaxBytes = 16 * 1024
/** Of S3 and of the admin API. */
const methods = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const

interface Parts extends SessionParts {
  readonly folder: string
}

export function createConsole(given: ConsoleParts): Console {
  const { clock } = given
  const regions = new ConsoleRegions(given)
  const links = new SignInLinks(clock)
  const sessions = new Sessions(clock)
  const parts: Parts = { ...given, regions, links, sessions, attempts: new Attempts(clock), forwarder: new Forwarder(clock) }
  return {
    handle: (request, response) => handle(request, response, parts),
    makeLink: () => links.make(),
    async close() {
      sessions.endAll()
      await regions.close()
    },
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the browser is gone'))
  })
  const exchange: Exchange = { request, response, signal: gone.signal }
  try {
    await answer(exchange, routeOf(request.url ?? ''), parts)
  } catch (error) {
    if (gone.signal.aborted || response.destroyed) return
    if (error instanceof Refusal) sendRefusal(exchange, error)
    else {
      parts.log.error({ err: error }, 'a request to the console failed')
      sendRefusal(exchange, new Refusal(500, 'InternalError', 'It failed here; the log says why.'))
    }
  } finally {
    leaveBody(exchange)
  }
}

async function answer(exchange: Exchange, route: Route, parts: Parts): Promise<void> {
  switch (route.to) {
    case 'page':
      return await answerPage(exchange, parts.folder)
    case 'asset':
      return await answerAsset(exchange, parts.folder, route.name)
    case 'session':
      checkOrigin(askedOf(exchange))
      return await answerSession(exchange, parts)
    case 'presign':
    case 's3':
    case 'iam':
    case 'sts':
    case 'admin':
    case 'preview': {
      checkOrigin(askedOf(exchange))
      const session = sessionOf(exchange, parts.sessions)
      checkCsrf(askedOf(exchange), session.csrfToken)
      return await answerForSession(exchange, { route, session, parts })
    }
    default:
      return route satisfies never
  }
}

interface Asked {
  readonly route: Exclude<Route, { readonly to: 'page' | 'asset' | 'session' }>
  readonly session: Session
  readonly parts: Parts
}

async function answerForSession(exchange: Exchange, { route, session, parts }: Asked): Promise<void> {
  const { regions, forwarder, clock } = parts
  const { request } = exchange
  const { method = '' } = request
  const { credentials } = session
  const headers = askedHeaders(request.headers)
  switch (route.to) {
    case 'presign': {
      checkMethod(method, ['POST'])
      const url = presignedUrl(await readJson(exchange, presignMaxBytes), { regions, signer: forwarder.signer, credentials, clock })
      return sendJson(exchange, 200, { url })
    }
    case 'preview': {
      checkMethod(method, ['GET', 'HEAD'])
      const { range } = headers
      const rawQuery = route.versionId === undefined ? '' : `versionId=${encodeURIComponent(route.versionId)}`
      const asked = { method, rawPath: route.rawPath, rawQuery, headers: range === undefined ? {} : { range } }
      const question: Question = { target: regions.s3(route.region), service: 's3', ...asked }
      return await forwarder.ask(question, credentials, exchange.signal, (given) => answerPreview(exchange, given))
    }
    case 's3': {
      checkMethod(method, methods)
      const body = streamOf(exchange)
      const { rawPath, rawQuery } = route
      const target = regions.s3(route.region)
      const question: Question = { target, service: 's3', method, rawPath, rawQuery, headers, ...(body !== undefined && { body }) }
      return await passOn(exchange, question, { session, parts })
    }
    case 'iam':
    case 'sts': {
      checkMethod(method, ['POST'])
      const body = await readBody(exchange, formMaxBytes)
      const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
      const question = { target: regions.s3(route.region), service: route.to, method, rawPath: '/', rawQuery: '', headers: form, body }
      return await passOn(exchange, question, { session, parts })
    }
    case 'admin': {
      checkMethod(method, methods)
      const target = regions.admin(route.region)
      const { rawPath, rawQuery } = route
      const body = isSafe({ method, headers: {} }) ? undefined : await readBody(exchange, adminMaxBytes)
      const json = body === undefined || body.length === 0 ? {} : { 'content-type': 'application/json' }
      const question: Question = {
        target,
        service: 'farshore',
        method,
        rawPath,
        rawQuery,
        headers: json,
        ...(body !== undefined && { body }),
      }
      return await passOn(exchange, question, { session, parts })
    }
    default:
      return route satisfies never
  }
}

/** Answers as the region does. A session whose key it knows no more is over. */
async function passOn(exchange: Exchange, question: Question, { session, parts }: Omit<Asked, 'route'>): Promise<void> {
  const { forwarder, regions, sessions } = parts
  await forwarder.ask(question, session.credentials, exchange.signal, async (given: Answer) => {
    const headers = forwardedHeaders(given.headers)
    const refusal = exchange.request.method === 'HEAD' ? undefined : await readRefusal(given)
    // Another region may not have heard of a new key yet.
    if (refusal?.isKeyGone && question.target.region === regions.self) {
      sessions.end(session.id)
      throw new Refusal(401, 'Unauthorized', 'The key of this session does not work any more.', {
        'set-cookie': endedCookie(isSecureExchange(exchange)),
      })
    }
    if (refusal === undefined) return await sendStream(exchange, { status: given.status, headers, body: given.body })
    exchange.response.writeHead(given.status, { ...headers, 'content-length': refusal.bytes.length }).end(refusal.bytes)
  })
}

function askedOf({ request }: Exchange): Parameters<typeof checkOrigin>[0] {
  return { method: request.method ?? '', headers: request.headers }
}

/** @throws Refusal MethodNotAllowed */
function checkMethod(method: string, allowed: readonly string[]): void {
  if (!allowed.includes(method))
    throw new Refusal(405, 'MethodNotAllowed', `The methods of this address: ${allowed.join(', ')}.`, { allow: allowed.join(', ') })
}
