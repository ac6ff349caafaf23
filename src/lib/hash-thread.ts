/** The digests of a long stream, in a thread of their own: most of what a large PUT costs, and none of it can wait for the last byte. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { HashName } from './hash.ts'
import { threadScript } from './thread-script.ts'

/** Digests of a long stream, made beside the event loop or in it. */
export interface StreamHasher {
  /** The chunk is used up when this returns or resolves. */
  update(chunk: Uint8Array): Promise<void> | void
  digests(): Promise<Digests> | Digests
  /** Of a stream that ends early: nobody will ask for the digest. */
  abandon(): void
}

/** By the names that were asked for. */
export type Digests = ReadonlyMap<HashName, Buffer>

export type HashRequest =
  | { readonly kind: 'begin'; readonly stream: number; readonly names: readonly HashName[]; readonly memory: SharedArrayBuffer }
  | { readonly kind: 'update'; readonly stream: number; readonly from: number; readonly lengthBytes: number }
  | { readonly kind: 'end' | 'forget'; readonly stream: number }

/** One for each `update`, and with the digests for `end`. */
export interface HashReply {
  readonly stream: number
  readonly digests?: ReadonlyMap<HashName, Uint8Array>
}

/** Its messages are small and soon forgotten: left alone, they would fill a nursery of tens of MiB before they are swept. */
const maxYoungGenerationSizeMb = 3
const slotBytes = 256 * 1024
/** One is filled while the thread reads the others. */
const slotsEach = 4
/** Streams in the thread at a time, and so the memory it shares: 8 MiB. */
const streamsMax = 8
/** Below this the messages cost more than they win: eight uploads of 1 MiB at once took 1.24 times the CPU. */
const worthwhileBytes = 1024 * 1024

export class HashThread {
  #worker: Worker | undefined
  #issued = 0
  readonly #streams = new Map<number, ThreadHasher>()
  readonly #spare: SharedArrayBuffer[] = []

  /** undefined when the event loop does as well: a short stream, a single core, or a thread with enough to do. */
  hasher(names: readonly HashName[], lengthBytes: number): StreamHasher | undefined {
    if (lengthBytes < worthwhileBytes || this.#streams.size >= streamsMax || availableParallelism() < 2) return undefined
    this.#worker ??= this.#start()
    const worker = this.#worker
    this.#issued += 1
    const stream = this.#issued
    const memory = this.#spare.pop() ?? new SharedArrayBuffer(slotsEach * slotBytes)
    const hasher = new ThreadHasher({
      stream,
      names,
      memory,
      worker,
      ended: () => {
        if (this.#streams.delete(stream)) this.#spare.push(memory)
      },
    })
    this.#streams.set(stream, hasher)
    return hasher
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(threadScript('hash-worker', import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb } })
    worker.on('message', ({ stream, digests }: HashReply) => this.#streams.get(stream)?.answered(digests))
    worker.on('error', (error) => this.#failed(worker, error))
    worker.on('exit', () => this.#failed(worker, new Error('The hashing thread ended.')))
    // What is uploaded keeps the process; the thread by itself does not.
    worker.unref()
    return worker
  }

  /** NOTE: of one that is gone already more may be heard, while the next is at work. */
  #failed(worker: Worker, error: unknown): void {
    if (this.#worker === worker) this.#worker = undefined
    for (const hasher of [...this.#streams.values()]) if (hasher.worker === worker) hasher.fail(error)
  }
}

interface ThreadHasherParts {
  readonly stream: number
  readonly names: readonly HashName[]
  readonly memory: SharedArrayBuffer
  readonly worker: Worker
  /** The memory may be another stream's from now on. */
  readonly ended: () => void
}

class ThreadHasher implements StreamHasher {
  readonly #parts: ThreadHasherParts
  readonly #slots: Uint8Array
  #slot = 0
  #filledBytes = 0
  #unanswered = 0
  #failure: { readonly cause: unknown } | undefined
  #isAbandoned = false
  #digests = Promise.withResolvers<Digests>()
  #room = Promise.withResolvers<void>()

  constructor(parts: ThreadHasherParts) {
    this.#parts = parts
    this.#slots = new Uint8Array(parts.memory)
    // A failure reaches whoever waits; of the two, one is never waited for.
    this.#digests.promise.catch(() => undefined)
    this.#room.promise.catch(() => undefined)
    const { stream, names, memory } = parts
    this.#post({ kind: 'begin', stream, names, memory })
  }

  get worker(): Worker {
    return this.#parts.worker
  }

  async update(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.byteLength; ) {
      if (this.#failure !== undefined) throw this.#failure.cause
      // NOTE: whoever gave a stream up may still be waiting for its next chunk, and the memory has gone to another.
      if (this.#isAbandoned) return
      const count = Math.min(chunk.byteLength - taken, slotBytes - this.#filledBytes)
      this.#slots.set(chunk.subarray(taken, taken + count), this.#slot * slotBytes + this.#filledBytes)
      this.#filledBytes += count
      taken += count
      if (this.#filledBytes === slotBytes) await this.#send()
    }
  }

  async digests(): Promise<Digests> {
    if (this.#filledBytes > 0) await this.#send()
    this.#post({ kind: 'end', stream: this.#parts.stream })
    return await this.#digests.promise
  }

  abandon(): void {
    this.#isAbandoned = true
    this.#post({ kind: 'forget', stream: this.#parts.stream })
    this.#parts.ended()
  }

  answered(digests: HashReply['digests']): void {
    if (digests !== undefined) {
      this.#parts.ended()
      this.#digests.resolve(new Map([...digests].map(([name, digest]) => [name, Buffer.from(digest)])))
      return
    }
    this.#unanswered -= 1
    this.#room.resolve()
  }

  fail(error: unknown): void {
    this.#failure = { cause: error }
    this.#parts.ended()
    this.#digests.reject(error)
    this.#room.reject(error)
  }

  /** Hands a slot over, and waits until the next one is free. */
  async #send(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.cause
    const { stream } = this.#parts
    this.#post({ kind: 'update', stream, from: this.#slot * slotBytes, lengthBytes: this.#filledBytes })
    this.#unanswered += 1
    this.#slot = (this.#slot + 1) % slotsEach
    this.#filledBytes = 0
    while (this.#unanswered === slotsEach) {
      this.#room = Promise.withResolvers()
      await this.#room.promise
    }
  }

  #post(request: HashRequest): void {
    this.#parts.worker.postMessage(request)
  }
}
