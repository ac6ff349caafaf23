/** The S3 port: one catch-all that takes every request as it comes off the wire, before any parser can touch its body. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { answerClientError } from './client-error.ts'
import type { Operation } from './define.ts'
import { Dispatcher, type DispatcherOptions } from './dispatcher.ts'
import { Router } from './router.ts'
import { type SlowTiming, slowTiming } from './slow.ts'

/** The part of the configuration that the wire obeys. */
export interface S3Settings {
  readonly s3: { readonly host: string; readonly port: number }
  readonly domains: readonly string[]
  readonly limits: {
    readonly maxConnections: number
    readonly maxRequests: number
    readonly headersTimeoutMs: number
    readonly idleTimeoutMs: number
    readonly keepAliveTimeoutMs: number
    readonly drainTimeoutMs: number
  }
  readonly log: { readonly access: boolean }
}

type Given = Pick<DispatcherOptions, 'gate' | 'services' | 'hashing' | 'query' | 'peer' | 'health' | 'nowMs' | 'recent' | 'log'>

export interface S3ServerOptions extends Given {
  readonly config: S3Settings
  readonly operations: readonly Operation[]
  /** When a slow answer begins to be kept alive; given by tests. */
  readonly slowTiming?: SlowTiming
}

export interface ListenOptions {
  /** Shares the port with other listeners that say so too; the system spreads connections over them. */
  readonly reusePort?: boolean
}

export interface S3Server {
  /** @throws the system's error when the port cannot be had */
  listen(options?: ListenOptions): Promise<{ readonly port: number }>
  /** Takes no more connections, lets running requests end for `drainTimeoutMs`, then cuts them. */
  close(): Promise<void>
}

/** Node limits the request line and the headers together; what S3 allows a header section is checked by ourselves. */
const requestHeadMaxBytes = 32 * 1024

/** @throws Error when two operations share a name or a route */
export function createS3Server(options: S3ServerOptions): S3Server {
  const { config } = options
  const state = { isClosing: false }
  const dispatcher = new Dispatcher({
    ...options,
    router: new Router(options.operations),
    domains: [...config.domains],
    idleTimeoutMs: config.limits.idleTimeoutMs,
    maxRequests: config.limits.maxRequests,
    isClosing: () => state.isClosing,
    logsAccess: config.log.access,
    slowTiming: options.slowTiming ?? slowTiming,
  })
  /** Connections that have not brought a request yet: node does not count them as idle. */
  const unused = new Set<Socket>()
  const app = createApp(config, { dispatcher, unused, isClosing: () => state.isClosing })

  return {
    async listen({ reusePort = false } = {}) {
      await app.listen({ host: config.s3.host, port: config.s3.port, ...(reusePort ? { reusePort } : {}) })
      const address = app.server.address()
      if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
      return { port: address.port }
    },
    async close() {
      state.isClosing = true
      const timer = setTimeout(() => app.server.closeAllConnections(), config.limits.drainTimeoutMs)
      for (const socket of unused) socket.destroy()
      await app.close()
      clearTimeout(timer)
    },
  }
}

interface AppParts {
  readonly dispatcher: Dispatcher
  readonly unused: Set<Socket>
  readonly isClosing: () => boolean
}

function createApp({ limits }: S3Settings, { dispatcher, unused, isClosing }: AppParts): FastifyInstance {
  const app = Fastify({
    logger: false,
    // Routing is ours. A fixed path keeps fastify from judging urls, which hold any key; node's own is kept beside it.
    rewriteUrl: () => '/',
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // A large upload takes as long as it takes: what is limited is the head, and the time without a byte.
    requestTimeout: 0,
    http: {
      maxHeaderSize: requestHeadMaxBytes,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(5000, limits.headersTimeoutMs),
      // A missing Host is answered by us, with a document.
      requireHostHeader: false,
    },
    clientErrorHandler: (error, socket) =>
      answerClientError(error, socket, { hostId: dispatcher.hostId, hasBegun: hasBegunAnswer(socket) }),
  })
  const expectant = new WeakSet<IncomingMessage>()

  app.addHook('onRequest', (request, reply, _done) => {
    reply.hijack()
    const { raw } = request
    raw.url = request.originalUrl
    unused.delete(raw.socket)
    void dispatcher.dispatch(raw, reply.raw, expectant.has(raw))
  })
  app.all('/', () => {})

  const { server } = app
  server.maxConnections = limits.maxConnections
  // Their size is limited; past node's default of 2000 it would leave headers out without a word.
  server.maxHeadersCount = 0
  server.on('connection', (socket: Socket) => {
    if (isClosing()) socket.destroy()
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    expectant.add(request)
    app.routing(request, response)
  })
  // Any other expectation may be ignored: https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => app.routing(request, response))
  return app
}

/** Node keeps the response that a socket is at in a field of its own, as its default handler knows too. */
function hasBegunAnswer(socket: Socket): boolean {
  const message: unknown = Reflect.get(socket, '_httpMessage')
  return typeof message === 'object' && message !== null && Reflect.get(message, 'headersSent') === true
}
