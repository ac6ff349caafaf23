/** A streamed body cut into the pieces that its head announces. */
import { S3Error } from '../model/errors.ts'
import type { IncomingContent } from './store-content.ts'

export class IncomingStream implements IncomingContent {
  readonly #body: AsyncIterator<Buffer>
  #rest: Buffer

  /** @param rest  what was read of it together with the head */
  constructor(body: AsyncIterator<Buffer>, rest: Buffer) {
    this.#body = body
    this.#rest = rest
  }

  async *next(lengthBytes: number): AsyncGenerator<Buffer> {
    let left = lengthBytes
    while (left > 0) {
      if (this.#rest.length === 0) {
        const step = await this.#body.next()
        if (step.done === true) throw new S3Error('IncompleteBody')
        this.#rest = step.value
      }
      const piece = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(piece.length)
      left -= piece.length
      if (piece.length > 0) yield piece
    }
  }

  /** NOTE: a body is to be believed only when it has come to its end. @throws S3Error IncompleteBody for more than was announced */
  async end(): Promise<void> {
    const step = this.#rest.length > 0 ? { done: false } : await this.#body.next()
    if (step.done !== true) throw new S3Error('IncompleteBody', { message: 'More bytes came than were announced.' })
  }
}

/** Content that is here already. */
export class IncomingBuffer implements IncomingContent {
  #rest: Buffer

  constructor(bytes: Buffer) {
    this.#rest = bytes
  }

  next(lengthBytes: number): Buffer {
    const piece = this.#rest.subarray(0, lengthBytes)
    this.#rest = this.#rest.subarray(lengthBytes)
    return piece
  }
}
