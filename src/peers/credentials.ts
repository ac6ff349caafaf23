/**
 * How regions prove themselves to each other: one SigV4 key for each ordered pair, derived from the one peering secret.
 * A key that leaks opens one direction between two regions, and tells nothing of the others.
 */
import { createHmac } from 'node:crypto'

export interface PeerKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface PeerKeys {
  /** The key that this region signs with when it speaks to that one. */
  outgoing(to: string): PeerKey
  /** Whose key it is that signed a message to this region; undefined when it is no peer's. */
  peerKeyOf(accessKeyId: string): { readonly region: string; readonly secretAccessKey: string } | undefined
}

const keyIdPrefix = 'farshore-peer-'

/** @param peers  the other regions of the deployment */
export function createPeerKeys(parts: {
  readonly self: string
  readonly peers: readonly string[]
  readonly peeringSecret: string
}): PeerKeys {
  const { self, peers, peeringSecret } = parts
  const incoming = new Map(
    peers.map((region) => [keyIdPrefix + region, { region, secretAccessKey: secretFor(peeringSecret, { from: region, to: self }) }]),
  )
  const outgoing = new Map(peers.map((to) => [to, secretFor(peeringSecret, { from: self, to })]))
  return {
    outgoing(to) {
      const secretAccessKey = outgoing.get(to)
      if (secretAccessKey === undefined) throw new Error(`${to} is no peer of ${self}`)
      return { accessKeyId: keyIdPrefix + self, secretAccessKey }
    },
    peerKeyOf: (accessKeyId) => incoming.get(accessKeyId),
  }
}

/** Lengths go before the names, so that no two pairs give the same text. */
function secretFor(peeringSecret: string, { from, to }: { readonly from: string; readonly to: string }): string {
  const hmac = createHmac('sha256', peeringSecret)
  for (const word of ['farshore peer', from, to]) {
    const bytes = Buffer.from(word)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    hmac.update(length).update(bytes)
  }
  return hmac.digest('hex')
}
