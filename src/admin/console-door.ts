/** Where the console stands in the admin listener: behind every address that is not the listener's own, before any parser touches a body. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

export interface ConsoleDoor {
  /** Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Signs the operator in, once. */
  makeLink(): object
}

const own = /^\/(admin|_health)([/?]|$)/
const anyOther = '/'
/** A file that is uploaded takes as long as it takes: what is limited is the head, the time without a byte, and a message of the admin API. */
const timeouts = { headMs: 30_000, idleMs: 150_000, messageMs: 60_000 } as const
const maxConnections = 2048

export const rewriteForConsole = {
  rewriteUrl: ({ url = '' }: { readonly url?: string | undefined }) => (isOwn(url) ? url : anyOther),
  requestTimeout: 0,
  connectionTimeout: timeouts.idleMs,
  http: { headersTimeout: timeouts.headMs, connectionsCheckingInterval: 5_000 },
}

/** NOTE: to be called behind the hooks that the console is to obey too. */
export function openConsole(app: FastifyInstance, door: () => ConsoleDoor | undefined): void {
  app.server.maxConnections = maxConnections
  app.addHook('onRequest', ({ raw, originalUrl }, reply, done) => {
    if (isOwn(originalUrl)) {
      endWhenSlow(raw)
      return done()
    }
    const console = door()
    if (console === undefined) {
      void reply.code(503).send({ code: 'ServiceUnavailable', message: 'The console is starting.' })
      return
    }
    reply.hijack()
    raw.url = originalUrl
    void console.handle(raw, reply.raw)
  })
  app.all(anyOther, () => undefined)
}

function isOwn(url: string): boolean {
  return own.test(url)
}

function endWhenSlow(request: IncomingMessage): void {
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy()
  }, timeouts.messageMs)
  request.once('close', () => clearTimeout(timer))
}
