/** The admin listener: what an operator asks of a region, signed as for service `farshore`. The console stands here too. */
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { S3Error } from '../model/errors.ts'
import type { Replication } from '../replication/replication.ts'
import type { RequestHead } from '../s3/auth/head.ts'
import { sha256Hex } from '../s3/auth/signature.ts'
import type { Gate } from '../s3/gate.ts'
import type { Health } from '../s3/internal.ts'
import type { Log } from '../s3/log.ts'
import type { Accounts } from './accounts.ts'
import { type AdminRoute, addRoutes } from './admin-route.ts'
import { type ConsoleDoor, openConsole, rewriteForConsole } from './console-door.ts'
import type { DamageList } from './damage.ts'
import { decodeAfter, encodeAfter, jsonOf } from './input.ts'
import type { LifecycleView } from './lifecycle.ts'
import type { MovesView } from './moves.ts'
import type { RegionStanding } from './region.ts'

export interface AdminServerOptions {
  readonly config: {
    readonly admin: { readonly host: string; readonly port: number }
    readonly publicUrl: string
    /** The first account: its root alone is the deployment's operator. */
    readonly credentials: { readonly accountId: string }
  }
  readonly gate: Pick<Gate, 'verify'>
  readonly replication: Replication
  readonly damage: DamageList
  readonly lifecycle: LifecycleView
  readonly moves: MovesView
  readonly accounts: Accounts
  readonly standing: () => Promise<RegionStanding>
  /** Whatever else there is to ask. */
  readonly routes: readonly AdminRoute[]
  readonly promote: (how: { readonly force: boolean }) => Promise<object>
  readonly rejoin: (how: { readonly discard: boolean }) => Promise<object>
  /** What answers every other address of this port; undefined while it is not there yet. */
  readonly console: () => ConsoleDoor | undefined
  readonly health: () => Health
  readonly nowMs: () => number
  readonly log: Log
}

export interface AdminServer {
  listen(): Promise<{ readonly port: number }>
  close(): Promise<void>
}

const pageMax = 1000
const bodyMaxBytes = 4 * 1024
const rejoinBody = z.strictObject({ discard: z.boolean().default(false) })
const promoteBody = z.strictObject({ force: z.boolean().default(false) })
const taskId = z.strictObject({ bucketId: z.string(), key: z.string(), versionId: z.string(), destination: z.string() })
const movePlace = z.strictObject({ bucketId: z.string(), key: z.string(), id: z.string(), kind: z.string() })
const damagePlace = z.strictObject({ bucketId: z.string(), key: z.string(), id: z.string(), part: z.int() })
const previewPlace = z.strictObject({ stage: z.int().min(0), sinceMs: z.int(), key: z.string(), id: z.string() })

export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { config, gate, replication, damage, lifecycle, moves, accounts, standing, promote, rejoin, health, nowMs, log } = options
  const app = Fastify({ logger: false, bodyLimit: bodyMaxBytes, forceCloseConnections: true, ...rewriteForConsole })

  app.setErrorHandler((error, _request, reply) => sendError(reply, error, log))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 'NotFound', message: 'There is nothing at this address.' }))
  // Left as bytes: what they say is looked at once it is known who says it.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  // S3 clients come here when somebody takes the one port for the other; they read XML alone.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith('/admin/') || !/\/s3\/aws4_request/.test(request.headers.authorization ?? '')) return done()
    const message = `This is the console and admin API of the region. S3 listens at ${config.publicUrl}.`
    void reply.code(400).type('application/xml').send(`<Error><Code>InvalidRequest</Code><Message>${message}</Message></Error>`)
  })
  openConsole(app, options.console)
  app.get('/_health/live', () => ({ live: true }))
  app.get('/_health/ready', (_request, reply) => {
    const { isReady, reasons } = health()
    return reply.code(isReady ? 200 : 503).send({ ready: isReady, reasons })
  })

  app.get('/admin/v1/region', async (request) => {
    await authorizeRoot(request)
    return await standing()
  })
  app.post('/admin/v1/region/promote', async (request) => {
    const body = promoteBody.safeParse(jsonOf(await authorizeRoot(request)))
    if (!body.success) throw new S3Error('InvalidArgument', { message: 'The body is not what this address takes.' })
    return await promote(body.data)
  })
  app.post('/admin/v1/region/rejoin', async (request) => {
    const body = rejoinBody.safeParse(jsonOf(await authorizeRoot(request)))
    if (!body.success) throw new S3Error('InvalidArgument', { message: 'The body is not what this address takes.' })
    return await rejoin(body.data)
  })
  app.post('/admin/v1/console/link', async (request) => {
    await authorizeRoot(request)
    const door = options.console()
    if (door === undefined) throw new S3Error('ServiceUnavailable', { message: 'The console is starting.' })
    return door.makeLink()
  })
  app.get('/admin/v1/replication', async (request) => {
    await authorizeRoot(request)
    return { rules: await replication.rules() }
  })
  app.get<{ Querystring: { after?: string } }>('/admin/v1/replication/failed', async (request) => {
    await authorizeRoot(request)
    const after = decodeAfter(taskId, request.query.after)
    const page = await replication.failed({ limit: pageMax, ...(after === undefined ? {} : { after }) })
    return { objects: page.objects, ...(page.next === undefined ? {} : { next: encodeAfter(page.next) }) }
  })

  app.get<{ Querystring: { after?: string } }>('/admin/v1/damage', async (request) => {
    await authorizeRoot(request)
    const page = await damage(decodeAfter(damagePlace, request.query.after), pageMax)
    return { versions: page.versions, ...(page.next === undefined ? {} : { next: encodeAfter(page.next) }) }
  })

  app.get('/admin/v1/lifecycle', async (request) => {
    await authorizeRoot(request)
    return await lifecycle.report()
  })
  app.get<{ Querystring: { bucket?: string; after?: string } }>('/admin/v1/lifecycle/preview', async (request) => {
    await authorizeRoot(request)
    const { bucket, after } = request.query
    const page = await lifecycle.preview(bucket, { after: decodeAfter(previewPlace, after), limit: pageMax })
    return { entries: page.entries, ...(page.next === undefined ? {} : { next: encodeAfter(page.next) }) }
  })

  app.get<{ Querystring: { after?: string } }>('/admin/v1/lifecycle/moves', async (request) => {
    await authorizeRoot(request)
    const page = await moves(decodeAfter(movePlace, request.query.after), pageMax)
    return { ...page, ...(page.next === undefined ? {} : { next: encodeAfter(page.next) }) }
  })

  app.get<{ Querystring: { after?: string } }>('/admin/v1/accounts', async (request) => {
    await authorizeRoot(request)
    const { after } = request.query
    return await accounts.list({ after: typeof after === 'string' ? after : '', limit: pageMax })
  })
  app.post('/admin/v1/accounts', async (request) => {
    const bytes = await authorizeRoot(request)
    return await accounts.create(jsonOf(bytes))
  })
  for (const [word, status] of [
    ['enable', 'active'],
    ['disable', 'disabled'],
  ] as const) {
    app.post<{ Params: { id: string } }>(`/admin/v1/accounts/:id/${word}`, async (request) => {
      await authorizeRoot(request)
      await accounts.setStatus(request.params.id, status)
      return {}
    })
  }
  app.post<{ Params: { id: string } }>('/admin/v1/accounts/:id/keys', async (request) => {
    const bytes = await authorizeRoot(request)
    return await accounts.newKey(request.params.id, jsonOf(bytes))
  })
  app.delete<{ Params: { id: string } }>('/admin/v1/accounts/:id', async (request) => {
    await authorizeRoot(request)
    await accounts.delete(request.params.id)
    return {}
  })

  addRoutes(app, options.routes, authorizeRoot)

  /** @returns the body, which the signature covers @throws S3Error AccessDenied, and as the signature is refused */
  async function authorizeRoot(request: FastifyRequest): Promise<Buffer> {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const verified = await gate.verify(headOf(request), nowMs())
    const signed = verified.kind === 'awaiting-body' ? verified.complete(sha256Hex(body)) : verified
    if (signed.kind !== 'signed' || signed.scope.service !== 'farshore') throw new S3Error('AccessDenied')
    // The root of any other account is a customer.
    const { caller, payload } = signed
    if (caller.kind !== 'root' || caller.accountId !== config.credentials.accountId) throw new S3Error('AccessDenied')
    const isCovered = payload.mode === 'sha256' && payload.hex === sha256Hex(body)
    if (body.length > 0 && !isCovered) throw new S3Error('AccessDenied')
    return body
  }

  return {
    async listen() {
      // A copy: fastify writes into what it is given.
      await app.listen({ ...config.admin })
      const address = app.server.address()
      if (address === null || typeof address === 'string') throw new Error('the admin server listens on no port')
      return { port: address.port }
    },
    close: () => app.close(),
  }
}

function headOf({ raw }: FastifyRequest): RequestHead {
  const { method = '', url = '', headers, rawHeaders } = raw
  const [rawPath = '', ...query] = url.split('?')
  return { method, rawPath, rawQuery: query.join('?'), headers, rawHeaders }
}

function sendError(reply: FastifyReply, error: unknown, log: Log): FastifyReply {
  if (error instanceof S3Error) return reply.code(error.status).send({ code: error.code, message: error.message })
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500) {
    return reply.code(error.statusCode).send({ code: 'BadRequest', message: error.message })
  }
  log.error({ err: error }, 'admin request failed')
  return reply.code(500).send({ code: 'InternalError', message: 'It failed here; the log says why.' })
}
