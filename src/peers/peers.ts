/** All other regions of the deployment: who they are, how they are spoken to, and what is answered to them. */
import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import type { BreakerStatus } from './breaker.ts'
import { PeerClient, type PeerRequest, type PeerTimeouts, peerTimeouts } from './client.ts'
import { createPeerKeys, type PeerKeys } from './credentials.ts'
import { PeerUnreachable } from './errors.ts'
import { jsonBody } from './json-body.ts'
import type { PeerLog } from './log.ts'
import { PeerRoutes, peerRoute } from './routes.ts'

export interface PeersOptions {
  readonly self: string
  /** All regions in their order, this one among them. */
  readonly regions: readonly { readonly name: string; readonly endpoint: string }[]
  readonly peeringSecret: string
  readonly insecurePeers: boolean
  /** This start's number, told to the others. */
  readonly boot: number
  readonly clock: Clock
  readonly log: PeerLog
  /** Shorter in tests. */
  readonly timeouts?: Partial<PeerTimeouts>
}

export interface PeerStatus {
  readonly region: string
  readonly link: BreakerStatus
  /** From its last greeting; undefined before. */
  readonly boot: number | undefined
}

export interface Peers {
  readonly self: string
  readonly all: readonly PeerClient[]
  /** @throws PeerUnreachable when no such region is configured, or it is this one */
  to(region: string): PeerClient
  /** For whoever checks signatures: whose key an access key id is. */
  readonly peerKeyOf: PeerKeys['peerKeyOf']
  /** What is answered to other regions; each part adds its own. */
  readonly routes: PeerRoutes
  /** Tells every region that this one is there. To be called once it listens. Never rejects: a region that is away is greeted on its return. */
  greet(): Promise<void>
  status(): readonly PeerStatus[]
  close(): Promise<void>
}

const helloPath = 'v1/hello'
/** A start is not held up by a region that hangs. */
const helloTimeoutMs = 2_000
const helloSchema = z.object({ region: z.string().max(64), boot: z.int().min(0) })

/** @throws Error for an endpoint that would carry messages in clear over the open internet */
export function createPeers(options: PeersOptions): Peers {
  const { self, regions, peeringSecret, boot, log } = options
  const others = regions.filter(({ name }) => name !== self)
  const keys = createPeerKeys({ self, peers: others.map(({ name }) => name), peeringSecret })
  const hello = (): PeerRequest => ({
    method: 'POST',
    path: helloPath,
    ...jsonBody({ region: self, boot }),
    answerTimeoutMs: helloTimeoutMs,
  })
  const timeouts = { ...peerTimeouts, ...options.timeouts }
  const clients = new Map(
    others.map(({ name, endpoint }) => [
      name,
      new PeerClient({ ...options, region: name, endpoint, key: keys.outgoing(name), timeouts, hello }),
    ]),
  )
  const boots = new Map<string, number>()
  const routes = new PeerRoutes({ self, log })
  routes.add(
    peerRoute({
      method: 'POST',
      path: helloPath,
      body: helloSchema,
      handle({ from }, { body }) {
        boots.set(from, body.boot)
        clients.get(from)?.greeted()
        return Promise.resolve({ region: self, boot })
      },
    }),
  )

  return {
    self,
    all: [...clients.values()],
    to(region) {
      const client = clients.get(region)
      if (client !== undefined) return client
      throw new PeerUnreachable({ region, fault: 'waiting', why: 'it is not among the regions of the configuration' })
    },
    peerKeyOf: keys.peerKeyOf,
    routes,
    async greet() {
      // Whoever is away has been found to be so, and is looked for from now on.
      await Promise.allSettled([...clients.values()].map((client) => client.request(hello())))
    },
    status: () => [...clients.values()].map((client) => ({ region: client.region, link: client.status(), boot: boots.get(client.region) })),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()))
    },
  }
}
