/**
 * Large buffers that are used again: the kernel need not clear and map new pages for each of them. When many are in use at a time, the next are
 * small ones: a transfer may last as long as its client likes, and thousands of them must not cost a large buffer each.
 */
import { blockBytes } from './frames.ts'

/** Of large buffers in use at one time; a transfer has up to two. Beyond that a transfer takes more steps, and no less care. */
const largeMaxDefault = 64

export class BufferPool {
  readonly #sizeBytes: number
  readonly #keptMax: number
  readonly #largeMax: number
  readonly #free: Buffer[] = []
  #largeInUse = 0

  /** @param options.sizeBytes  of a large buffer, a multiple of a block; @param options.keptMax  free buffers that are kept */
  constructor(options: { sizeBytes: number; keptMax: number; largeMax?: number }) {
    this.#sizeBytes = options.sizeBytes
    this.#keptMax = options.keptMax
    this.#largeMax = options.largeMax ?? largeMaxDefault
  }

  /** What a buffer has that is taken now: whole blocks, at least one. */
  get sizeBytes(): number {
    return this.#largeInUse < this.#largeMax ? this.#sizeBytes : blockBytes
  }

  /** A buffer with bytes of others in it: hand on only what you have written. */
  take(sizeBytes: number = this.sizeBytes): Buffer {
    if (sizeBytes < this.#sizeBytes) return Buffer.allocUnsafeSlow(sizeBytes)
    this.#largeInUse += 1
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes)
  }

  give(buffer: Buffer): void {
    if (buffer.length < this.#sizeBytes) return
    this.#largeInUse -= 1
    if (this.#free.length < this.#keptMax) this.#free.push(buffer)
  }
}
