/** Large buffers that are used again: the kernel need not clear and map new pages for each of them. */
export class BufferPool {
  readonly sizeBytes: number
  readonly #keptMax: number
  readonly #free: Buffer[] = []

  /** @param options.keptMax  free buffers that are kept; how many are in use is for whoever admits requests to bound */
  constructor(options: { sizeBytes: number; keptMax: number }) {
    this.sizeBytes = options.sizeBytes
    this.#keptMax = options.keptMax
  }

  /** A buffer with bytes of others in it: hand on only what you have written. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.sizeBytes)
  }

  give(buffer: Buffer): void {
    if (this.#free.length < this.#keptMax) this.#free.push(buffer)
  }
}
