/** Regions tell each other now and then, and when something has changed, whom they take for home: nobody goes on writing beside another. */
import { type Engine, sleep } from '../lib/engine.ts'
import type { PeerClient } from '../peers/client.ts'
import { jsonBody } from '../peers/json-body.ts'
import type { Peers } from '../peers/peers.ts'
import { type PeerRoute, peerRoute } from '../peers/routes.ts'
import { Bell } from './bell.ts'
import type { ControlLog } from './control-log.ts'
import { type SaidStanding, standingSchema } from './messages.ts'
import type { Standings } from './standings.ts'

const standingPath = 'v1/control/standing'
const watchMs = 2_000
const answerTimeoutMs = 2_000

export interface WatchParts {
  readonly log: ControlLog
  readonly peers: Peers
  readonly standings: Standings
}

export class ControlWatch implements Engine {
  readonly name = 'control-watch'
  readonly #parts: WatchParts
  readonly #bell = new Bell()

  constructor(parts: WatchParts) {
    this.#parts = parts
  }

  status(): Readonly<Record<string, unknown>> {
    return { knownEpoch: this.#parts.log.knownEpoch }
  }

  /** To be called when this region has something to tell, or a reason to ask. */
  nudge(): void {
    this.#bell.ring()
  }

  async work(signal: AbortSignal): Promise<'idle'> {
    await this.ask(signal)
    return 'idle'
  }

  async wait(signal: AbortSignal): Promise<void> {
    const stop = new AbortController()
    const either = AbortSignal.any([signal, stop.signal])
    const away = this.#parts.peers.all.filter((peer) => !peer.isReachable)
    const reasons = [this.#bell.wait(either), sleep(watchMs, either), ...away.map((peer) => peer.waitUntilReachable(either))]
    try {
      await Promise.race(reasons)
    } finally {
      stop.abort()
      await Promise.allSettled(reasons)
    }
  }

  /** Asks all that can be reached, and takes what they say. Never rejects. @returns who has answered what */
  async ask(signal: AbortSignal): Promise<ReadonlyMap<string, SaidStanding>> {
    const due = this.#parts.peers.all.filter((peer) => peer.isReachable)
    const answers = await Promise.all(due.map(async (peer) => [peer.region, await this.#askOne(peer, signal)] as const))
    return new Map(answers.flatMap(([region, said]) => (said === undefined ? [] : [[region, said]])))
  }

  route(): PeerRoute {
    return peerRoute({
      method: 'POST',
      path: standingPath,
      body: standingSchema,
      handle: ({ from }, { body }) => {
        this.#heard(from, body)
        return Promise.resolve(this.#own())
      },
    })
  }

  async #askOne(peer: PeerClient, signal: AbortSignal): Promise<SaidStanding | undefined> {
    try {
      const answer = await peer.request({ method: 'POST', path: standingPath, ...jsonBody(this.#own()), answerTimeoutMs, signal })
      const said = answer.json(standingSchema)
      this.#heard(peer.region, said)
      return said
    } catch {
      // One that has gone, or of another version: there is another time, and whoever asks for something else is told why.
      return undefined
    }
  }

  #own(): SaidStanding {
    const { home, knownEpoch: epoch, position } = this.#parts.log
    return { home: home ?? '', epoch, position }
  }

  #heard(from: string, { home, epoch, position }: SaidStanding): void {
    const { log, standings } = this.#parts
    standings.heard(from, position)
    if (home === '' || epoch === 0) return
    if (epoch > log.knownEpoch) log.believe({ home, epoch, position, source: from })
    else if (epoch === log.epoch && log.isHome && home !== log.self) {
      log.stop(
        `region ${home} was made home in epoch ${epoch} too; say which of the two is to be it: farshore regions promote NAME --force`,
      )
    }
  }
}
