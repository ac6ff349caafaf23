/**
 * Buffers that are used again: the kernel need not clear and map new pages for each of them. When many large ones are in use at a time, the next are
 * small ones: a transfer may last as long as its client likes, and thousands of them must not cost a large buffer each.
 */
import { blockBytes } from './frames.ts'

/** Of large buffers in use at one time; a transfer has up to two. Beyond that a transfer takes more steps, and no less care. */
const largeMaxDefault = 16
/** Free buffers of a block that are kept. */
const blocksKeptMax = 32

export class BufferPool {
  readonly #sizeBytes: number
  readonly #keptMax: number
  readonly #largeMax: number
  readonly #free: Buffer[] = []
  readonly #freeBlocks: Buffer[] = []
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

  /**
   * A buffer with bytes of others in it: hand on only what you have written.
   * @param sizeBytes  of a large one, of a block, or less
   */
  take(sizeBytes: number = this.sizeBytes): Buffer {
    if (sizeBytes >= this.#sizeBytes) {
      this.#largeInUse += 1
      return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes)
    }
    return (sizeBytes === blockBytes ? this.#freeBlocks.pop() : undefined) ?? Buffer.allocUnsafeSlow(sizeBytes)
  }

  give(buffer: Buffer): void {
    this.#keep(buffer)
  }

  /**
   * Gives back a buffer that nothing else refers to, no write that is under way either. What is not kept is free at once: the collector would come to
   * it much later, as it sees only how small a Buffer is.
   */
  giveOwn(buffer: Buffer): void {
    // An empty one has nothing to free, and may be anybody's.
    if (buffer.length === 0 || this.#keep(buffer) || !(buffer.buffer instanceof ArrayBuffer)) return
    buffer.buffer.transfer(0)
  }

  #keep(buffer: Buffer): boolean {
    const isLarge = buffer.length >= this.#sizeBytes
    if (isLarge) this.#largeInUse -= 1
    if (!isLarge && buffer.length !== blockBytes) return false
    const free = isLarge ? this.#free : this.#freeBlocks
    if (free.length >= (isLarge ? this.#keptMax : blocksKeptMax)) return false
    free.push(buffer)
    return true
  }
}
