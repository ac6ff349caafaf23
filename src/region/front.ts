/** The front of a region, composed: from the S3 port to the services, the same in whichever thread it stands. */
import type { Logger } from 'pino'
import { createKeySealing } from '../access/access-keys.ts'
import { createKeys } from '../access/credentials.ts'
import { createSessions } from '../access/session-tokens.ts'
import type { Config } from '../config/schema.ts'
import type { ControlDoor } from '../control/door.ts'
import { createQueryHandler } from '../iam/query.ts'
import { createWebTokens } from '../iam/web-token.ts'
import { systemClock } from '../lib/clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import { createBuckets } from '../objects/buckets.ts'
import { createObjects } from '../objects/objects.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { anyVersion } from '../objects/read.ts'
import { operations } from '../operations/index.ts'
import type { PeerKeys } from '../peers/credentials.ts'
import { createAccountGate } from '../s3/account-gate.ts'
import type { Gate } from '../s3/gate.ts'
import type { Health, PeerHandler } from '../s3/internal.ts'
import type { RecentRequests } from '../s3/recent.ts'
import { createS3Server, type S3Server } from '../s3/server.ts'

export interface FrontParts {
  readonly config: Config
  readonly parts: ObjectParts
  readonly control: ControlDoor
  readonly gate: Gate
  readonly peer: PeerHandler
  readonly recent: RecentRequests
  readonly log: Logger
}

export function createFront({ config, parts, control, gate, peer, recent, log }: FrontParts): S3Server {
  const services = {
    objects: createObjects(parts),
    buckets: createBuckets({ metadata: parts.metadata, changed: (bucket) => control.changed(bucket) }),
    control,
    hashing: parts.hashing,
    defaults: {
      region: config.region,
      account: config.credentials,
      encryption: config.encryption.default,
      ownership: config.buckets.ownership,
      publicAccessBlock: config.buckets.publicAccessBlock,
    },
  }
  return createS3Server({
    config,
    operations,
    gate,
    services,
    hashing: parts.hashing,
    query: createQueryHandler({
      identities: control,
      accessKeys: createKeySealing({ secret: config.credentials.peeringSecret }),
      sessions: createSessions({ secret: config.credentials.peeringSecret }),
      verifyWebToken: createWebTokens(config.oidc),
    }),
    peer,
    recent,
    health: () => healthOf(parts.metadata),
    nowMs: () => systemClock.nowMs(),
    log,
  })
}

export function createGate(
  { credentials, region: self, regions }: Config,
  of: {
    readonly parts: Pick<ObjectParts, 'metadata'>
    readonly control: Pick<ControlDoor, 'resolveBucket' | 'accountByCanonicalId'>
    readonly peerKeyOf: PeerKeys['peerKeyOf']
  },
): Gate {
  const { parts, control, peerKeyOf } = of
  const others = regions.map(({ name }) => name).filter((name) => name !== self)
  const secret = credentials.peeringSecret
  return createAccountGate({
    keys: createKeys(credentials, peerKeyOf, {
      metadata: parts.metadata,
      sealing: createKeySealing({ secret }),
      sessions: createSessions({ secret }),
    }),
    regions: [self, ...others],
    resolveBucket: (name) => control.resolveBucket(name),
    accountIdOf: async (canonicalId) => (await control.accountByCanonicalId(canonicalId))?.accountId,
    findVersion: (address) => anyVersion(parts, address),
  })
}

/**
 * A full disk still reads, deletes and settles, and is ready; a fenced store is not.
 * @param controlStopped  why the control log has stopped: objects go on, so that the region is ready, and says it
 */
export function healthOf(metadata: Metadata, controlStopped?: string): Health {
  const { state, reason } = metadata.status()
  const reasons = state === 'open' ? [] : [reason ?? `the metadata store is ${state}`]
  if (controlStopped !== undefined) reasons.push(`the control log has stopped: ${controlStopped}`)
  return { isReady: state === 'open' || state === 'full', reasons }
}
