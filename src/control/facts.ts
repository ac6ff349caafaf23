/** What a bucket of any region is like right now: asked where it lives. */
import type { Metadata } from '../metadata/engine.ts'
import { accountByCanonicalId } from '../metadata/tables/accounts.ts'
import { bucketById } from '../metadata/tables/buckets.ts'
import type { BucketName } from '../model/bucket.ts'
import type { DestinationFacts } from '../model/replication-facts.ts'
import { PeerRefused, PeerUnreachable } from '../peers/errors.ts'
import type { Peers } from '../peers/peers.ts'
import { type PeerRoute, peerRoute } from '../peers/routes.ts'
import { factsAnswerSchema } from './messages.ts'

export interface BucketFacts extends DestinationFacts {
  readonly bucketId: string
}

export interface FactsParts {
  readonly metadata: Metadata
  readonly peers: Peers
}

/** @returns undefined when there is no such bucket any more @throws S3Error ServiceUnavailable naming the region that cannot be reached */
export async function bucketFacts(parts: FactsParts, { id, region }: BucketName): Promise<BucketFacts | undefined> {
  const { peers } = parts
  if (region === peers.self) return localFacts(parts, id)
  try {
    const answer = await peers.to(region).request({ method: 'GET', path: `v1/buckets/${encodeURIComponent(id)}` })
    return answer.json(factsAnswerSchema).facts ?? undefined
  } catch (error) {
    if (error instanceof PeerUnreachable || error instanceof PeerRefused) throw error.toS3Error()
    throw error
  }
}

export function factsRoute(parts: FactsParts): PeerRoute {
  return peerRoute({
    method: 'GET',
    path: 'v1/buckets/{id}',
    async handle(_, { params }) {
      return { facts: (await localFacts(parts, params.id ?? '')) ?? null }
    },
  })
}

async function localFacts({ metadata }: FactsParts, id: string): Promise<BucketFacts | undefined> {
  const found = await metadata.read(function* () {
    const bucket = yield* bucketById(id)
    return bucket && { bucket, owner: yield* accountByCanonicalId(bucket.ownerId) }
  })
  if (found === undefined || found.bucket.state !== 'active') return undefined
  const { bucket, owner } = found
  // An owner who is gone is none that a rule could name.
  const ownerAccountId = owner?.accountId ?? ''
  const { region, versioning, settings } = bucket
  return { bucketId: bucket.id, region, versioning, objectLock: settings.objectLock !== undefined, ownerAccountId }
}
