/** The bytes that come in: one pull at a time, counted, and ended early by a signal even while the sender is silent. */
import { BlobLengthWrong } from './errors.ts'

/** S3: the largest single PUT and the largest part, 5 GiB. Larger objects have several blobs. */
export const blobLimitBytes = 5 * 1024 ** 3

export class Source {
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  readonly #expectedBytes: number | undefined
  readonly #signals: readonly AbortSignal[]
  readonly #onAbort = (event: Event) => this.#fail?.(reasonOf(event))
  #fail: ((reason: unknown) => void) | undefined
  #receivedBytes = 0
  readonly #putBack: Uint8Array[] = []

  constructor(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: { lengthBytes: number | undefined; signals: readonly AbortSignal[] },
  ) {
    this.#iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
    this.#expectedBytes = options.lengthBytes
    this.#signals = options.signals
    for (const signal of this.#signals) signal.addEventListener('abort', this.#onAbort)
  }

  /** As announced; undefined when nobody said. */
  get expectedBytes(): number | undefined {
    return this.#expectedBytes
  }

  /**
   * The next chunk, good until the next pull; undefined at the end.
   * @throws BlobLengthWrong, the signal's reason, and whatever the stream throws
   */
  async pull(): Promise<Uint8Array | undefined> {
    for (const signal of this.#signals) signal.throwIfAborted()
    const again = this.#putBack.shift()
    if (again !== undefined) return again
    const step = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      this.#fail = reject
      Promise.resolve(this.#iterator.next()).then(resolve, reject)
    })
    const limit = this.#expectedBytes ?? blobLimitBytes
    if (step.done === true) {
      if (this.#expectedBytes !== undefined && this.#receivedBytes !== limit) throw lengthWrong(this.#receivedBytes, limit)
      return undefined
    }
    this.#receivedBytes += step.value.byteLength
    if (this.#receivedBytes > limit) throw lengthWrong(this.#receivedBytes, limit)
    return step.value
  }

  /** Chunks that the next pulls give again. */
  putBack(chunks: readonly Uint8Array[]): void {
    this.#putBack.push(...chunks)
  }

  /** Lets the stream go, read to its end or not. Does not wait: a generator that hangs would never answer. */
  close(): void {
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#onAbort)
    this.#fail = undefined
    Promise.resolve(this.#iterator.return?.()).catch(() => undefined)
  }
}

function lengthWrong(received: number, limit: number): BlobLengthWrong {
  return new BlobLengthWrong(`The stream gave ${received > limit ? 'more' : 'fewer'} than ${limit} bytes`)
}

function reasonOf({ target }: Event): unknown {
  return target instanceof AbortSignal ? target.reason : undefined
}
