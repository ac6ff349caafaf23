/** What the threads of a region say to each other. */
import type { SegmentId } from '../blobs/store.ts'
import type { Config } from '../config/schema.ts'
import type { ControlWrites } from '../control/door.ts'
import type { Command, TransactionName } from '../metadata/transactions.ts'
import type { IncomingCall, OutgoingReply } from '../peers/routes.ts'
import type { RecentRequest } from '../s3/recent.ts'

/** What a thread that serves is started with. */
export interface ThreadData {
  readonly config: Config
  /** Keeps the names of its blobs apart from all others. */
  readonly boot: number
  /** The journal's positions. */
  readonly journal: SharedArrayBuffer
  readonly pins: readonly SharedArrayBuffer[]
  /** Which of the pins are its own. */
  readonly place: number
  /** 0 takes any free port. */
  readonly port: number
}

/** A message of another region, read whole. */
export interface ForwardedCall extends Pick<IncomingCall, 'method' | 'path' | 'headers' | 'caller' | 'requestId' | 'nowMs'> {
  readonly query: readonly (readonly [string, string])[]
  readonly bytes: Uint8Array
}

type Forwarded = {
  [Name in keyof ControlWrites]: { input: Parameters<ControlWrites[Name]>[0]; output: Awaited<ReturnType<ControlWrites[Name]>> }
}

/** What a thread that serves asks of the one that commits. */
export type ThreadAsks = Forwarded & {
  readonly commit: { readonly input: Command<TransactionName>; readonly output: unknown }
  readonly peer: { readonly input: ForwardedCall; readonly output: OutgoingReply }
  readonly listening: { readonly input: { readonly port: number }; readonly output: undefined }
}

/** What it answers. */
export type RegionAsks = {
  /** Lets the next small blob begin another segment. */
  readonly seal: { readonly input: SegmentId; readonly output: undefined }
  /** The last requests that it answered. */
  readonly recent: { readonly input: undefined; readonly output: readonly RecentRequest[] }
  /** Lets requests in flight end. */
  readonly close: { readonly input: undefined; readonly output: undefined }
}
