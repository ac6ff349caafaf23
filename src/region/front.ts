/** The front of a region, composed: from the S3 port to the services, the same in whichever thread it stands. */
import type { Logger } from 'pino'
import { createKeySealing } from '../access/access-keys.ts'
import { createKeys } from '../access/credentials.ts'
import { KeyUses } from '../access/key-uses.ts'
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
import type { Defaults } from '../operations/services.ts'
import type { PeerKeys } from '../peers/credentials.ts'
import { createAccountGate } from '../s3/account-gate.ts'
import type { Gate } from '../s3/gate.ts'
import type { Health, PeerHandler } from '../s3/internal.ts'
import type { RecentRequests } from '../s3/recent.ts'
import { createS3Server, type S3Server } from '../s3/server.ts'
import type { Closing } from './stores.ts'

export interface FrontParts {
  readonly config: Config
  readonly parts: ObjectParts
  readonly control: ControlDoor
  readonly gate: Gate
  readonly uses: KeyUses
  readonly peer: PeerHandler
  readonly recent: RecentRequests
  readonly log: Logger
}

export function createFront({ config, parts, control, gate, uses, peer, recent, log }: FrontParts): S3Server {
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
      lifecycleDayMs: config.lifecycle.daySeconds * 1000,
      restoreDelayMs: restoreDelays(config.archive.restoreDelaySeconds),
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
      keyUses: uses,
    }),
    peer,
    recent,
    health: () => healthOf(parts.metadata),
    nowMs: () => systemClock.nowMs(),
    log,
  })
}

/** The gate of a thread tells it what keys are used for, and IAM asks it. */
export function openKeyUses(metadata: Metadata, closing: Closing): KeyUses {
  const uses = new KeyUses({ metadata, clock: systemClock })
  closing(() => uses.close())
  return uses
}

export function createGate(
  { credentials, region: self, regions }: Config,
  of: {
    readonly parts: Pick<ObjectParts, 'metadata'>
    readonly control: Pick<ControlDoor, 'resolveBucket' | 'accountByCanonicalId'>
    readonly peerKeyOf: PeerKeys['peerKeyOf']
    readonly uses: KeyUses
  },
): Gate {
  const { parts, control, peerKeyOf, uses } = of
  const others = regions.map(({ name }) => name).filter((name) => name !== self)
  const secret = credentials.peeringSecret
  return createAccountGate({
    keys: createKeys(credentials, peerKeyOf, {
      metadata: parts.metadata,
      sealing: createKeySealing({ secret }),
      sessions: createSessions({ secret }),
    }),
    uses,
    regions: [self, ...others],
    resolveBucket: (name) => control.resolveBucket(name),
    accountIdOf: async (canonicalId) => (await control.accountByCanonicalId(canonicalId))?.accountId,
    findVersion: (address) => anyVersion(parts, address),
  })
}

function restoreDelays({ standard, bulk, expedited }: Config['archive']['restoreDelaySeconds']): Defaults['restoreDelayMs'] {
  return { Standard: standard * 1000, Bulk: bulk * 1000, Expedited: expedited * 1000 }
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
