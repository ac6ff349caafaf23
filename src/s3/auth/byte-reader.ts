import { S3Error } from '../../model/errors.ts'

const empty = Buffer.alloc(0)
const lineFeed = 0x0a

/**
 * Buffers that nobody else has a part of: their memory can be given back as soon as all of it is used up. The collector would come to that too, with a
 * full collection for each 64 MiB that pass through.
 */
export class OwnBuffers {
  readonly #known = new WeakSet<ArrayBufferLike>()

  /** Of a stream, as it comes in. One that is a part of a larger buffer is left alone. */
  add(chunk: Buffer): void {
    if (chunk.byteLength === chunk.buffer.byteLength) this.#known.add(chunk.buffer)
  }

  /** Gives back a chunk whose last piece this is. NOTE: pieces are used up in the order of the stream. */
  release(piece: Buffer): void {
    const { buffer, byteOffset, byteLength } = piece
    if (byteOffset + byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer) || !this.#known.has(buffer)) return
    buffer.transfer(0)
  }
}

/** Reads a stream of buffers by lines and by lengths, without copying and never further ahead than one buffer. */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>
  readonly #own: OwnBuffers
  #rest: Buffer = empty
  #receivedBytes = 0
  #ended = false

  /** @param own  gets what the source gives */
  constructor(source: AsyncIterable<Buffer>, own: OwnBuffers = new OwnBuffers()) {
    this.#source = source[Symbol.asyncIterator]()
    this.#own = own
  }

  /** Bytes that the source has given, read from here or not. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /**
   * The next 1 to `maxBytes` bytes, or undefined at the end.
   * @throws S3Error IncompleteBody (the connection broke)
   */
  async take(maxBytes: number): Promise<Buffer | undefined> {
    if (this.#rest.length === 0 && !(await this.#fill())) return undefined
    const taken = this.#rest.subarray(0, maxBytes)
    this.#rest = this.#rest.subarray(taken.length)
    return taken
  }

  /**
   * What stands before the next line feed (latin1, a carriage return kept), or undefined at the end.
   * @throws S3Error IncompleteBody (the end, or `limitBytes`, comes before the line feed)
   */
  async line(limitBytes: number): Promise<string | undefined> {
    let line = ''
    for (;;) {
      if (this.#rest.length === 0 && !(await this.#fill())) {
        if (line === '') return undefined
        throw new S3Error('IncompleteBody')
      }
      const end = this.#rest.indexOf(lineFeed)
      line += this.#rest.toString('latin1', 0, end === -1 ? Math.min(this.#rest.length, limitBytes + 1) : end)
      if (line.length > limitBytes) throw new S3Error('IncompleteBody', { message: 'A line of the chunked body is too long.' })
      this.#rest = end === -1 ? empty : this.#rest.subarray(end + 1)
      if (end !== -1) return line
    }
  }

  /** Tells the source that nobody reads on. */
  async close(): Promise<void> {
    this.#rest = empty
    this.#ended = true
    await this.#source.return?.()
  }

  async #fill(): Promise<boolean> {
    while (!this.#ended) {
      const { done, value } = await this.#next()
      if (done === true) {
        this.#ended = true
      } else if (value.length > 0) {
        this.#rest = value
        this.#own.add(value)
        this.#receivedBytes += value.length
        return true
      }
    }
    return false
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    try {
      return await this.#source.next()
    } catch (cause) {
      this.#ended = true
      throw brokenOff(cause)
    }
  }
}

/** A refusal made on purpose (a timeout, a limit) keeps its name; anything else is a connection that broke. */
export function brokenOff(cause: unknown): S3Error {
  return cause instanceof S3Error ? cause : new S3Error('IncompleteBody', { cause })
}
