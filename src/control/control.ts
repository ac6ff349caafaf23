/** The control plane of a region: what is the same in all of them, read here, written at home. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Engine } from '../lib/engine.ts'
import type { Metadata } from '../metadata/engine.ts'
import type { ControlChange } from '../metadata/tables/control.ts'
import { type ControlDigest, controlDigest } from '../metadata/tables/control-snapshot.ts'
import type { BucketName } from '../model/bucket.ts'
import type { PeerLog } from '../peers/log.ts'
import type { Peers } from '../peers/peers.ts'
import { peerRoute } from '../peers/routes.ts'
import { ControlLog } from './control-log.ts'
import { BucketDeletions } from './delete-bucket.ts'
import { type ControlDoor, controlReads } from './door.ts'
import { bucketFacts, factsRoute } from './facts.ts'
import { beginControl } from './first-start.ts'
import { ControlFollower } from './follower.ts'
import { homeRoutes } from './home.ts'
import { changedSchema } from './messages.ts'
import { BucketNotices, changedPath } from './notices.ts'
import { Promoter, type Promotion } from './promote.ts'
import { Rejoiner, type Rejoining } from './rejoin.ts'
import { SnapshotDesk } from './snapshot.ts'
import { Standings } from './standings.ts'
import { ControlTrim, type TrimLimits, trimLimits } from './trim.ts'
import { ControlWatch } from './watch.ts'
import { ControlWriter, patienceMs } from './writer.ts'

/** Something that a refused delivery may have waited for. */
export type ControlEvent =
  | { readonly kind: 'role'; readonly name: string }
  /** A managed policy says something else than before to whom it is attached. */
  | { readonly kind: 'policy'; readonly name: string }
  | { readonly kind: 'bucket'; readonly bucketId: string }

/** This region's copy of the control log, as it stands now. */
export interface ControlStanding {
  /** The region that keeps the log; undefined before anybody has said. */
  readonly home: string | undefined
  readonly epoch: number
  /** Of the newest row that is applied here. */
  readonly position: number
  /** Of home's newest row when it was last heard; its own where it is home; undefined before it was heard. */
  readonly homePosition: number | undefined
  /** Why no row is applied any more; undefined while all is well. */
  readonly stopped: string | undefined
}

export interface Control extends ControlDoor {
  /** @returns how to end it */
  onChange(listener: (event: ControlEvent) => void): () => void
  /** The position of the newest row that is applied here. */
  position(): number
  standing(): ControlStanding
  /** Of the names and identities that are here; equal in all regions at the same position. */
  digest(): Promise<ControlDigest>
  /** Makes this region home. @throws S3Error OperationAborted | ServiceUnavailable, and says in words why not */
  promote(how: { readonly force: boolean }): Promise<Promotion>
  /** What a region that has stopped alone has; `discard` gives that up and follows home again. @throws as `promote` */
  rejoin(how: { readonly discard: boolean }): Promise<Rejoining>
  status(): Readonly<Record<string, unknown>>
  readonly engines: readonly Engine[]
  /** Sends away whoever waits. NOTE: before the S3 server closes, which lets requests end. */
  close(): Promise<void>
}

export interface ControlParts {
  readonly metadata: Metadata
  readonly self: string
  /** All regions in their order, this one among them. */
  readonly regions: readonly { readonly name: string; readonly publicUrl: string }[]
  readonly peers: Peers
  readonly clock: Clock
  readonly log: PeerLog
  /** How long a write waits for a home that has just gone; shorter in tests. */
  readonly patienceMs?: number
  /** How many rows of the log are kept; fewer in tests. */
  readonly trim?: TrimLimits
}

/** Adds its routes to `peers.routes`. At the very first start of the first region this asks the others, for three seconds at most. */
export async function createControl(parts: ControlParts): Promise<Control> {
  const { metadata, self, regions, peers, clock } = parts
  const ending = new AbortController()
  const closing = ending.signal
  const log = await ControlLog.open(parts)
  const writer = new ControlWriter({ log, peers, closing, patienceMs: parts.patienceMs ?? patienceMs })
  const follower = new ControlFollower({ log, peers, clock })
  const standings = new Standings()
  const watch = new ControlWatch({ log, peers, standings })
  const promoter = new Promoter({ log, peers, watch, standings, homeHeard: () => follower.heard, closing, peerLog: parts.log })
  const rejoiner = new Rejoiner({ metadata, log, peers, watch, closing, peerLog: parts.log })
  const desk = new SnapshotDesk({ metadata, clock })
  const followers = peers.all.map(({ region }) => region)
  const trim = new ControlTrim({ metadata, log, standings, followers, limits: parts.trim ?? trimLimits })
  const deletions = new BucketDeletions({ metadata, writer })
  const notices = new BucketNotices(peers.all)
  const listeners = new Set<(event: ControlEvent) => void>()
  const tell = (event: ControlEvent): void => {
    for (const listener of [...listeners]) {
      try {
        listener(event)
      } catch (err) {
        // The row stands, whatever a listener makes of it.
        parts.log.error({ ...event, err }, 'listener of the control plane failed')
      }
    }
  }
  log.onChange((change) => {
    const event = eventOf(change)
    if (event !== undefined) tell(event)
  })
  peers.routes.add(
    ...homeRoutes({ metadata, log, standings, doubt: () => watch.nudge(), closing }),
    watch.route(),
    promoter.route(),
    desk.route(),
    factsRoute(parts),
    peerRoute({
      method: 'POST',
      path: changedPath,
      body: changedSchema,
      handle(_, { body }) {
        for (const bucketId of body.bucketIds) tell({ kind: 'bucket', bucketId })
        return Promise.resolve({})
      },
    }),
  )
  await beginControl({ log, watch, first: regions[0]?.name ?? self })

  const digest = digestByRow(metadata)
  const write = (change: ControlChange) => writer.write({ requestId: `${self}:${randomUUID()}`, change })

  return {
    ...controlReads(parts),
    async createBucket({ name, ownerId, settings }) {
      const bucket: BucketName = { name, id: randomUUID(), region: self, ownerId, createdMs: clock.nowMs() }
      await write({ kind: 'createBucket', bucket, settings })
      return bucket
    },
    deleteBucket: (bucket) => deletions.delete(bucket),
    bucketFacts: (name) => bucketFacts(parts, name),
    async changeIdentities(change) {
      await write(change)
    },
    changed({ id }) {
      tell({ kind: 'bucket', bucketId: id })
      notices.tell(id)
    },
    onChange(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    position: () => log.position,
    standing: () => ({
      home: log.home,
      epoch: log.epoch,
      position: log.position,
      homePosition: log.isHome ? log.position : follower.homePosition,
      stopped: log.stopped,
    }),
    digest: () => digest(log),
    promote: (how) => promoter.promote(how),
    rejoin: (how) => rejoiner.rejoin(how),
    status: () => ({ ...follower.status(), ...deletions.status() }),
    engines: peers.all.length === 0 ? [deletions, trim] : [follower, watch, deletions, notices, trim],
    close() {
      ending.abort(new Error('the region is stopping'))
      return Promise.resolve()
    },
  }
}

/** Asked again and again by whoever watches, and read anew only when the newest row is another. */
function digestByRow(metadata: Metadata): (log: Pick<ControlLog, 'hash'>) => Promise<ControlDigest> {
  let known: { readonly hash: string; readonly digest: ControlDigest } | undefined
  return async ({ hash }) => {
    if (known?.hash !== hash) known = { hash, digest: await metadata.read(controlDigest) }
    return known.digest
  }
}

function eventOf(change: ControlChange): ControlEvent | undefined {
  switch (change.kind) {
    case 'setHome':
      return undefined
    case 'createBucket':
      return { kind: 'bucket', bucketId: change.bucket.id }
    case 'deleteBucket':
      return { kind: 'bucket', bucketId: change.id }
    case 'createRole':
      return { kind: 'role', name: change.role.name }
    case 'deleteRole':
      return { kind: 'role', name: change.name }
    case 'putRolePolicy':
    case 'deleteRolePolicy':
      return { kind: 'role', name: change.roleName }
    case 'createIdentity':
      return change.identity.type === 'role' ? { kind: 'role', name: change.identity.name } : undefined
    case 'deleteIdentity':
      return change.of.type === 'role' ? { kind: 'role', name: change.of.name } : undefined
    case 'editIdentity':
      return editEvent(change)
    case 'createAccount':
    case 'changeAccount':
    case 'deleteAccount':
    case 'createAccessKey':
    case 'setAccessKeyStatus':
    case 'deleteAccessKey':
      return undefined
    default:
      return change satisfies never
  }
}

function editEvent({ of, edit }: Extract<ControlChange, { kind: 'editIdentity' }>): ControlEvent | undefined {
  if (of.type === 'role') return { kind: 'role', name: of.name }
  const isNewDefault = edit.kind === 'setDefaultPolicyVersion' || (edit.kind === 'createPolicyVersion' && edit.isDefault)
  return of.type === 'policy' && isNewDefault ? { kind: 'policy', name: of.name } : undefined
}
