/** `replication/queue`, `replication/version` and `replication/retry`: what waits, how one version stands, and "try it now". */
import { z } from 'zod'
import { type LookParts, queuePage, retryNow, versionView } from '../replication/look.ts'
import type { AdminRoute } from './admin-route.ts'
import { decodeAfter, encodeAfter, jsonOf, parsedAs } from './input.ts'

const pageMax = 1000
const pageDefault = 200

const bucket = z.string().min(1).max(255)
const rule = z.string().max(255)
const key = z.string().min(1).max(1024)
const versionId = z.string().max(1024)

const place = z.strictObject({ destination: z.string(), ruleId: z.string(), createdMs: z.number(), key: z.string(), versionId: z.string() })
const queueQuery = z.strictObject({
  bucket,
  rule: rule.optional(),
  after: z.string().max(8192).optional(),
  limit: z.coerce.number().int().min(1).max(pageMax).default(pageDefault),
})
const versionQuery = z.strictObject({ bucket, key, versionId: versionId.optional() })
const retryBody = z.union([
  z.strictObject({ bucket, key, versionId: versionId.optional() }),
  z.strictObject({ bucket, rule: rule.optional() }),
])

export function replicationQueueRoutes(parts: LookParts): readonly AdminRoute[] {
  return [
    {
      method: 'GET',
      path: 'replication/queue',
      async answer({ query }) {
        const { rule: ruleId, after, ...of } = parsedAs(queueQuery, query)
        const { tasks, next } = await queuePage(parts, { ...of, ruleId, after: decodeAfter(place, after) })
        return { tasks, ...(next !== undefined && { next: encodeAfter(next) }) }
      },
    },
    { method: 'GET', path: 'replication/version', answer: ({ query }) => versionView(parts, parsedAs(versionQuery, query)) },
    {
      method: 'POST',
      path: 'replication/retry',
      bodyMaxBytes: 16 * 1024,
      answer({ body }) {
        const of = parsedAs(retryBody, jsonOf(body))
        return retryNow(parts, 'key' in of ? of : { bucket: of.bucket, ruleId: of.rule })
      },
    },
  ]
}
