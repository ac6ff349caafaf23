/** Replication of a region, composed: a worker for each other region, what is received from them, and what can be told of it. */
import type { Control } from '../control/control.ts'
import type { Clock } from '../lib/clock.ts'
import type { Engine } from '../lib/engine.ts'
import type { TaskId } from '../metadata/tables/tasks.ts'
import type { ObjectParts } from '../objects/parts.ts'
import type { Peers } from '../peers/peers.ts'
import { rightsRoute } from './preflight-rights.ts'
import { Redrive } from './redrive.ts'
import { replicationRoutes } from './routes.ts'
import { type FailedPage, failedObjects, type LinkFault, type RuleStatus, ruleStatuses } from './status.ts'
import { createWorker, type WorkerLog } from './worker.ts'

export interface Replication {
  readonly engines: readonly Engine[]
  rules(): Promise<readonly RuleStatus[]>
  failed(page: { readonly after?: TaskId; readonly limit: number }): Promise<FailedPage>
  /** Waits for what is under way. NOTE: after the engines were told to stop, before the stores close. */
  close(): Promise<void>
}

export interface ReplicationParts {
  readonly parts: ObjectParts
  readonly control: Control
  readonly peers: Peers
  readonly self: string
  readonly clock: Clock
  readonly log: WorkerLog
}

/** Adds its routes to `peers.routes`. */
export function createReplication({ parts, control, peers, self, clock, log }: ReplicationParts): Replication {
  const { metadata } = parts
  const controlPosition = (): number => control.position()
  const redrive = new Redrive({ metadata, control })
  peers.routes.add(...replicationRoutes({ objects: parts, self, controlPosition: async () => controlPosition(), clock }))
  peers.routes.add(rightsRoute(metadata))
  const workers = peers.all.map((client) =>
    createWorker({
      objects: parts,
      client,
      controlPosition,
      changes: () => redrive.changes,
      onReturn: () => redrive.nudge(),
      clock,
      random: Math.random,
      log,
    }),
  )
  const faultOf = (region: string): LinkFault | undefined =>
    workers.map((worker) => worker.status()).find((status) => status.region === region)?.fault
  return {
    engines: [redrive, ...workers],
    rules: () => ruleStatuses({ metadata, self, clock, faultOf }),
    failed: (page) => failedObjects({ metadata, self, clock }, page),
    async close() {
      redrive.close()
      await Promise.all(workers.map((worker) => worker.idle()))
    },
  }
}
