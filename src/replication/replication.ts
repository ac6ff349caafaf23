/** Replication of a region, put together: an engine for each other region, the routes by which others send, and how it all stands. */
import type { Clock } from '../lib/clock.ts'
import type { Engine } from '../lib/engine.ts'
import type { ObjectParts } from '../objects/parts.ts'
import type { PeerClient } from '../peers/client.ts'
import type { PeerRoutes } from '../peers/routes.ts'
import { Redrive } from './redrive.ts'
import { replicationRoutes } from './routes.ts'
import { type FailedPage, failedPage, type RuleStatus, ruleStatuses } from './status.ts'
import { createWorker, type WorkerLog, type WorkerStatus } from './worker.ts'

/** What replication must know of the control plane. */
export interface ReplicationControl {
  /** The newest row of the control log that is applied here. */
  position(): number
  onChange(listener: (event: { readonly kind: 'role'; readonly name: string } | { readonly kind: 'bucket'; readonly bucketId: string }) => void): () => void
}

export interface ReplicationParts {
  readonly parts: ObjectParts
  readonly control: ReplicationControl
  readonly peers: { readonly all: readonly PeerClient[]; readonly routes: PeerRoutes }
  readonly self: string
  readonly clock: Clock
  readonly log: WorkerLog
}

export interface Replication {
  readonly engines: readonly Engine[]
  rules(): Promise<readonly RuleStatus[]>
  /** @param after  `next` of the page before @throws RangeError when it is none */
  failed(after?: string): Promise<FailedPage>
  links(): readonly WorkerStatus[]
  /** Ends what is under way. NOTE: after the engines have ended, before the stores close. */
  close(): Promise<void>
}

/** Adds its routes to `peers.routes`. */
export function createReplication({ parts, control, peers, self, clock, log }: ReplicationParts): Replication {
  const { metadata } = parts
  const controlPosition = (): number => control.position()
  let changes = 0
  const regions = peers.all.map(({ region }) => region)
  const redrive = new Redrive({ metadata, regions, log })
  const endListening = control.onChange((change) => {
    changes += 1
    redrive.changed(change)
  })
  peers.routes.add(...replicationRoutes({ objects: parts, self, controlPosition, clock }))
  const workers = peers.all.map((client) =>
    createWorker({
      objects: parts,
      client,
      controlPosition,
      changes: () => changes,
      onReturn: () => redrive.changed({ kind: 'region', region: client.region }),
      clock,
      random: Math.random,
      log,
    }),
  )
  // What changed while this region was down was told to nobody here.
  for (const region of regions) redrive.changed({ kind: 'region', region })
  const statusParts = { metadata, self, clock, workers }

  return {
    engines: workers,
    rules: () => ruleStatuses(statusParts),
    failed: (after) => failedPage(statusParts, after),
    links: () => workers.map((worker) => worker.status()),
    async close() {
      endListening()
      await Promise.all(workers.map((worker) => worker.idle()))
      await redrive.close()
    },
  }
}
