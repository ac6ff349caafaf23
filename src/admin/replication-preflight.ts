/** `replication/preflight`: what would stand in the way of a configuration, before it is put. */
import { z } from 'zod'
import { type PreflightParts, preflight } from '../replication/preflight.ts'
import type { AdminRoute } from './admin-route.ts'
import { jsonOf, parsedAs } from './input.ts'

const bodyMaxBytes = 1024 * 1024
/** S3 allows 1000, which the rules of the model say. */
const rulesMax = 2000
const tagsMax = 100

// As in the XML every leaf is text; in JSON a number may stand for it.
const leaf = z.union([z.string(), z.number().transform(String)]).optional()
const status = z.strictObject({ Status: leaf }).optional()
const minutes = z.strictObject({ Minutes: leaf }).optional()
const tag = z.strictObject({ Key: leaf, Value: leaf })
const tags = z.array(tag).max(tagsMax).optional()

const destination = z.strictObject({
  Bucket: leaf,
  Account: leaf,
  StorageClass: leaf,
  AccessControlTranslation: z.strictObject({ Owner: leaf }).optional(),
  EncryptionConfiguration: z.strictObject({ ReplicaKmsKeyID: leaf }).optional(),
  ReplicationTime: z.strictObject({ Status: leaf, Time: minutes }).optional(),
  Metrics: z.strictObject({ Status: leaf, EventThreshold: minutes }).optional(),
})

const filter = z.strictObject({
  Prefix: leaf,
  Tag: tag.optional(),
  // `Tags`: as aws-cli and the SDKs spell it.
  And: z
    .strictObject({ Prefix: leaf, Tag: tags, Tags: tags })
    .transform(({ Prefix, Tag, Tags }) => ({ Prefix, Tag: Tag ?? Tags }))
    .optional(),
})

const rule = z.strictObject({
  ID: leaf,
  Priority: leaf,
  Prefix: leaf,
  Filter: filter.optional(),
  Status: leaf,
  SourceSelectionCriteria: z.strictObject({ SseKmsEncryptedObjects: status, ReplicaModifications: status }).optional(),
  ExistingObjectReplication: status,
  DeleteMarkerReplication: status,
  Destination: destination.optional(),
})
const rules = z.array(rule).max(rulesMax).optional()

const question = z.strictObject({
  bucket: z.string().min(1).max(255),
  configuration: z
    .strictObject({ Role: leaf, Rule: rules, Rules: rules })
    .transform(({ Role, Rule, Rules }) => ({ Role, Rule: Rule ?? Rules })),
})

export function replicationPreflightRoute(parts: PreflightParts): AdminRoute {
  return {
    method: 'POST',
    path: 'replication/preflight',
    bodyMaxBytes,
    answer: ({ body }) => preflight(parts, parsedAs(question, jsonOf(body))),
  }
}
