/** Replication of a region, composed: a small and a large lane to each other region, what is received from them, and what can be told of it. */
import type { Control } from '../control/control.ts'
import type { Clock } from '../lib/clock.ts'
import type { Engine, EngineLog } from '../lib/engine.ts'
import type { TaskId } from '../metadata/tables/tasks.ts'
import type { ObjectParts } from '../objects/parts.ts'
import type { Peers } from '../peers/peers.ts'
import { InFlight } from './in-flight.ts'
import { Lane } from './lane.ts'
import { Redrive } from './redrive.ts'
import { replicationRoutes } from './routes.ts'
import { type FailedPage, failedObjects, type RuleStatus, ruleStatuses } from './status.ts'

export interface Replication {
  readonly engines: readonly Engine[]
  rules(): Promise<readonly RuleStatus[]>
  failed(page: { readonly after?: TaskId; readonly limit: number }): Promise<FailedPage>
  close(): void
}

export interface ReplicationParts {
  readonly parts: ObjectParts
  readonly control: Control
  readonly peers: Peers
  readonly self: string
  readonly clock: Clock
  readonly log: EngineLog
}

/** Adds its routes to `peers.routes`. */
export function createReplication({ parts, control, peers, self, clock, log }: ReplicationParts): Replication {
  const { metadata } = parts
  const controlPosition = (): number => control.position()
  const redrive = new Redrive({ metadata, control })
  peers.routes.add(...replicationRoutes({ objects: parts, self, controlPosition, clock }))
  const lanes = peers.all.flatMap((client) => {
    const common = { objects: parts, client, controlPosition, inFlight: new InFlight(), changes: () => redrive.changes, clock, log }
    return [new Lane({ ...common, kind: 'small' }), new Lane({ ...common, kind: 'large' })]
  })
  return {
    engines: [redrive, ...lanes],
    rules: () => ruleStatuses({ metadata, self, clock }),
    failed: (page) => failedObjects({ metadata, self, clock }, page),
    close: () => redrive.close(),
  }
}
