/**
 * Tells the other regions that a bucket here has changed, so that what was refused because of it is tried again at once.
 * A notice is a hint: it waits for a region that is away, and is lost with a restart; whoever missed it tries again anyway, later.
 */
import { type Engine, sleep } from '../lib/engine.ts'
import type { PeerClient } from '../peers/client.ts'
import { PeerUnreachable } from '../peers/errors.ts'
import { jsonBody } from '../peers/json-body.ts'
import { Bell } from './bell.ts'
import { noticesMax } from './messages.ts'

export const changedPath = 'v1/changed'

/** Notices that wait for one region; more are dropped. */
const waitingMax = 10_000
const restMs = 1_000

export class BucketNotices implements Engine {
  readonly name = 'bucket-notices'
  readonly #waiting: ReadonlyMap<PeerClient, Set<string>>
  readonly #bell = new Bell()

  constructor(peers: readonly PeerClient[]) {
    this.#waiting = new Map(peers.map((peer) => [peer, new Set()]))
  }

  tell(bucketId: string): void {
    for (const ids of this.#waiting.values()) if (ids.size < waitingMax) ids.add(bucketId)
    this.#bell.ring()
  }

  status(): Readonly<Record<string, unknown>> {
    return { waiting: Object.fromEntries([...this.#waiting].map(([peer, ids]) => [peer.region, ids.size])) }
  }

  async work(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const due = [...this.#waiting].filter(([peer, ids]) => ids.size > 0 && peer.isReachable)
    const sent = await Promise.all(due.map(([peer, ids]) => send(peer, { ids, signal })))
    return sent.includes(true) ? 'busy' : 'idle'
  }

  async wait(signal: AbortSignal): Promise<void> {
    const stop = new AbortController()
    const either = AbortSignal.any([signal, stop.signal])
    const owed = [...this.#waiting].filter(([, ids]) => ids.size > 0).map(([peer]) => peer)
    const reasons = [
      this.#bell.wait(either),
      // One that is there and still owed has just failed otherwise.
      ...owed.map((peer) => (peer.isReachable ? sleep(restMs, either) : peer.waitUntilReachable(either))),
    ]
    try {
      await Promise.race(reasons)
    } finally {
      stop.abort()
      await Promise.allSettled(reasons)
    }
  }
}

/** @returns whether they have arrived */
async function send(peer: PeerClient, { ids, signal }: { readonly ids: Set<string>; readonly signal: AbortSignal }): Promise<boolean> {
  const bucketIds = [...ids].slice(0, noticesMax)
  // Taken off first: a change during the sending is news.
  for (const id of bucketIds) ids.delete(id)
  try {
    await peer.request({ method: 'POST', path: changedPath, ...jsonBody({ bucketIds }), signal })
    return true
  } catch (error) {
    if (!(error instanceof PeerUnreachable)) throw error
    for (const id of bucketIds) ids.add(id)
    return false
  }
}
