/** What a rule's role would be refused: judged by the destination's region, from its own copy of identities and its bucket's policy, as a delivery would be. */
import { z } from 'zod'
import type { Metadata } from '../metadata/engine.ts'
import { S3Error } from '../model/errors.ts'
import { type ReplicationRequest, type ReplicationWant, replicationVerdict } from '../model/replication-permission.ts'
import { type FailureReason, isFailureReason } from '../model/replication-reasons.ts'
import { PeerRefused, PeerUnreachable } from '../peers/errors.ts'
import { jsonBody } from '../peers/json-body.ts'
import type { Peers } from '../peers/peers.ts'
import { type PeerRoute, peerRoute } from '../peers/routes.ts'
import { judgeLinks } from './judge.ts'
import { wireLink } from './wire.ts'

const path = 'v1/replication/preflight'
const answerTimeoutMs = 5_000

const wants = ['object', 'changedTags', 'retention', 'legalHold', 'delete', 'ownerOverride'] as const satisfies readonly ReplicationWant[]
const question = z.strictObject({ link: wireLink, key: z.string().max(1024), wants: z.array(z.enum(wants)).min(1).max(wants.length) })
const answer = z.object({ reasons: z.array(z.string().max(100)).max(wants.length) })

export type RightsQuestion = z.output<typeof question>

/** @throws S3Error ServiceUnavailable naming the region that cannot be asked */
export async function askRights(peers: Peers, region: string, asked: RightsQuestion): Promise<readonly FailureReason[]> {
  try {
    const told = await peers.to(region).request({ method: 'POST', path, ...jsonBody(asked), answerTimeoutMs })
    return told.json(answer).reasons.filter(isFailureReason)
  } catch (error) {
    if (error instanceof PeerUnreachable || error instanceof PeerRefused) throw error.toS3Error()
    throw error
  }
}

export function rightsRoute(metadata: Metadata): PeerRoute {
  return peerRoute({
    method: 'POST',
    path,
    body: question,
    async handle({ from, nowMs }, { body }) {
      return { reasons: await rightsOf(metadata, { from, nowMs, asked: body }) }
    },
  })
}

async function rightsOf(
  metadata: Metadata,
  { from, nowMs, asked }: { readonly from: string; readonly nowMs: number; readonly asked: RightsQuestion },
): Promise<readonly FailureReason[]> {
  const [link] = await judgeLinks(metadata, { from, links: [asked.link] })
  if (link === undefined) throw new S3Error('InvalidArgument')
  if (link.kind === 'refused') return [link.reason]
  return refusalsOf({
    role: link.role,
    source: { bucket: link.sourceBucket, key: asked.key, ownerId: link.sourceOwnerId, isSseKms: false },
    destination: link.access,
    wants: asked.wants,
    nowMs,
  })
}

/** Of everything that is wanted, where a delivery would be told the first. */
export function refusalsOf(request: ReplicationRequest): readonly FailureReason[] {
  const reasons = request.wants.flatMap((want) => {
    const verdict = replicationVerdict({ ...request, wants: [want] })
    return verdict.allowed ? [] : [verdict.reason]
  })
  return [...new Set(reasons)]
}
