/** A question to the admin API, as data: who asks is checked for all of them in one place. */
import type { FastifyInstance, FastifyRequest } from 'fastify'

export interface AdminRoute {
  readonly method: 'GET' | 'POST'
  /** Behind `/admin/v1/`. */
  readonly path: string
  /** Absent: that of the listener. */
  readonly bodyMaxBytes?: number
  /** @returns what goes out as JSON @throws S3Error */
  answer(asked: { readonly query: unknown; readonly body: Buffer; readonly signal: AbortSignal }): Promise<object>
}

/** @param authorize  @returns the body, which the signature covers @throws S3Error AccessDenied */
export function addRoutes(
  app: FastifyInstance,
  routes: readonly AdminRoute[],
  authorize: (request: FastifyRequest) => Promise<Buffer>,
): void {
  for (const { method, path, bodyMaxBytes, answer } of routes) {
    app.route({
      method,
      url: `/admin/v1/${path}`,
      ...(bodyMaxBytes !== undefined && { bodyLimit: bodyMaxBytes }),
      handler: async (request) => answer({ query: request.query, body: await authorize(request), signal: request.signal }),
    })
  }
}
