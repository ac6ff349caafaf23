/** The hashing thread: reads what hash-thread.ts has put into shared memory. */
import { createHash, type Hash } from 'node:crypto'
import { type MessagePort, parentPort } from 'node:worker_threads'
import type { HashReply, HashRequest } from './hash-thread.ts'

interface Stream {
  readonly hash: Hash
  readonly memory: SharedArrayBuffer
}

if (parentPort !== null) serve(parentPort)

function serve(port: MessagePort): void {
  const streams = new Map<number, Stream>()
  const answer = (reply: HashReply): void => port.postMessage(reply)
  port.on('message', (request: HashRequest) => {
    const { stream } = request
    const known = streams.get(stream)
    switch (request.kind) {
      case 'begin':
        streams.set(stream, { hash: createHash('md5'), memory: request.memory })
        return
      case 'update':
        if (known === undefined) return
        known.hash.update(new Uint8Array(known.memory, request.from, request.lengthBytes))
        answer({ stream })
        return
      case 'end':
        if (known !== undefined) answer({ stream, digest: known.hash.digest() })
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
