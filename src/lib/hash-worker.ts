/** The hashing thread: reads what hash-thread.ts has put into shared memory. */
import { type MessagePort, parentPort } from 'node:worker_threads'
import { createHashers, type Hasher, type Hashing, type HashName } from './hash.ts'
import type { HashReply, HashRequest } from './hash-thread.ts'

interface Stream {
  readonly hashers: ReadonlyMap<HashName, Hasher>
  readonly memory: SharedArrayBuffer
}

// What is asked until then waits in the port.
if (parentPort !== null) serve(parentPort, await createHashers())

function serve(port: MessagePort, hashing: Hashing): void {
  const streams = new Map<number, Stream>()
  const answer = (reply: HashReply): void => port.postMessage(reply)
  port.on('message', (request: HashRequest) => {
    const { stream } = request
    const known = streams.get(stream)
    switch (request.kind) {
      case 'begin':
        streams.set(stream, { hashers: new Map(request.names.map((name) => [name, hashing.hasher(name)])), memory: request.memory })
        return
      case 'update': {
        if (known === undefined) return
        const bytes = new Uint8Array(known.memory, request.from, request.lengthBytes)
        for (const hasher of known.hashers.values()) hasher.update(bytes)
        answer({ stream })
        return
      }
      case 'end':
        if (known !== undefined) answer({ stream, digests: digestsOf(known) })
        streams.delete(stream)
        return
      case 'forget':
        streams.delete(stream)
        return
      default:
        request satisfies never
    }
  })
}

/** Copies: of a part of node's pool the whole pool would travel. */
function digestsOf({ hashers }: Stream): ReadonlyMap<HashName, Uint8Array> {
  return new Map([...hashers].map(([name, hasher]) => [name, Uint8Array.from(hasher.digest())]))
}
