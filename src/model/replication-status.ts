/** What a version remembers of its replication, what a client is told of it, and why a delivery did not succeed. */

export type DestinationStatus = 'PENDING' | 'COMPLETED' | 'FAILED'

/** How one version stands with one destination bucket. */
export interface DestinationState {
  readonly status: DestinationStatus
  /** The rule by which the version was last planned. */
  readonly ruleId: string
}

/** A version that a rule chose when it was written. By destination bucket name. */
export interface SourceState {
  readonly role: 'source'
  readonly destinations: Readonly<Record<string, DestinationState>>
}

/** A version that came from another region. */
export interface ReplicaState {
  readonly role: 'replica'
  readonly sourceRegion: string
  readonly sourceBucket: string
}

/** Absent on a version that no rule chose. */
export type ReplicationState = SourceState | ReplicaState

/** The value of `x-amz-replication-status`; undefined: no header. */
export type ReplicationHeader = DestinationStatus | 'REPLICA'

/** FAILED when any destination is, COMPLETED when all are, PENDING otherwise. */
export function headerStatus(state: ReplicationState | undefined): ReplicationHeader | undefined {
  if (state === undefined) return undefined
  switch (state.role) {
    case 'replica':
      return 'REPLICA'
    case 'source':
      return aggregate(Object.values(state.destinations))
    default:
      return state satisfies never
  }
}

/** The state of a version just planned, each destination PENDING; undefined when nothing was planned. */
export function pendingState(plans: readonly { readonly destinationBucket: string; readonly ruleId: string }[]): SourceState | undefined {
  if (plans.length === 0) return undefined
  return {
    role: 'source',
    destinations: Object.fromEntries(plans.map((plan) => [plan.destinationBucket, { status: 'PENDING', ruleId: plan.ruleId }])),
  }
}

/** The state of a version whose attributes changed: the destinations planned anew PENDING, the others as they stood. */
export function pendingAgain(
  state: ReplicationState | undefined,
  plans: readonly { readonly destinationBucket: string; readonly ruleId: string }[],
): ReplicationState | undefined {
  if (state === undefined || state.role !== 'source') return state
  let pending = state
  for (const plan of plans) pending = withDestinationStatus(pending, { ...plan, status: 'PENDING' })
  return pending
}

/** The same state with one destination's status changed; `ruleId` stays what it was unless given. A destination not yet there needs one. */
export function withDestinationStatus(
  state: SourceState,
  change: { readonly destinationBucket: string; readonly status: DestinationStatus; readonly ruleId?: string },
): SourceState {
  const known = Object.hasOwn(state.destinations, change.destinationBucket) ? state.destinations[change.destinationBucket] : undefined
  const ruleId = change.ruleId ?? known?.ruleId
  // The version was never planned for this destination, so that there is nothing to settle.
  if (ruleId === undefined) return state
  return { ...state, destinations: { ...state.destinations, [change.destinationBucket]: { status: change.status, ruleId } } }
}

function aggregate(destinations: readonly DestinationState[]): DestinationStatus | undefined {
  if (destinations.length === 0) return undefined
  if (destinations.some(({ status }) => status === 'FAILED')) return 'FAILED'
  return destinations.every(({ status }) => status === 'COMPLETED') ? 'COMPLETED' : 'PENDING'
}
