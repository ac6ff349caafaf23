/** A multipart/form-data body on its way in: the fields before the file, and then the file's bytes as they are pulled. */
import { Busboy, type BusboyFileStream } from '@fastify/busboy'
import { S3Error } from '../model/errors.ts'
import { putObjectMaxBytes } from '../model/limits.ts'
import type { FormFields, LengthRange } from '../model/post-policy.ts'

export interface Form {
  /** Lower-case names. */
  readonly fields: FormFields
  /** As it was sent, with its path. */
  readonly fileName: string
  /**
   * The iteration throws S3Error EntityTooLarge | EntityTooSmall | IncorrectNumberOfFilesInPostRequest | MalformedPOSTRequest, and what the body throws:
   * its bytes are only believed when it ends without an error. To be read once.
   */
  file(range: LengthRange | undefined): AsyncGenerator<Buffer, void, undefined>
}

/** S3: names and values of the fields before the file. */
const fieldsMaxBytes = 20 * 1024
/** Ours: all that comes before the file, with boundaries and headers of parts. */
const preambleMaxBytes = 128 * 1024
/** Ours. */
const fieldsMax = 256
const partHeadersMaxBytes = 8 * 1024
const partHeadersMax = 32

/** What a form is longer than its file, at most: fields before it, and what comes after it and is passed over. */
export const formMaxBytes = putObjectMaxBytes + 2 * preambleMaxBytes

export function isForm(contentType: string | undefined): contentType is string {
  return contentType !== undefined && /^multipart\/form-data\s*;/i.test(contentType)
}

/**
 * Reads up to where the file begins.
 * @throws S3Error MalformedPOSTRequest | MaxPostPreDataLengthExceeded | IncorrectNumberOfFilesInPostRequest | InvalidArgument (a
 *   field twice), and what the body throws
 */
export async function openForm(body: AsyncIterable<Buffer>, contentType: string): Promise<Form> {
  const reader = new FormReader(body, contentType)
  try {
    await reader.readFields()
  } catch (error) {
    await reader.close()
    throw error
  }
  return { fields: reader.fields, fileName: reader.fileName, file: (range) => reader.readFile(range) }
}

type Parser = InstanceType<typeof Busboy>

/**
 * NOTE: the parser gets a piece of the body only when what the last one held is used up: nothing is pulled from the connection that nobody waits for.
 */
class FormReader {
  readonly fields = new Map<string, string>()
  fileName = ''
  readonly #body: AsyncIterator<Buffer>
  readonly #parser: Parser
  readonly #pieces: Buffer[] = []
  #fieldsBytes = 0
  #files = 0
  #isFileEnded = false
  #isFinished = false
  /** NOTE: the parser may finish before; the body is only believed when it has ended. */
  #isBodyEnded = false
  #failure: unknown
  /** Ends the wait that is going on, if any. */
  #wake: () => void = () => {}

  constructor(body: AsyncIterable<Buffer>, contentType: string) {
    this.#body = body[Symbol.asyncIterator]()
    this.#parser = createParser(contentType)
    this.#parser.on('field', (name, value, _nameTruncated, isTruncated) => this.#guard(() => this.#takeField(name, value, isTruncated)))
    this.#parser.on('fieldsLimit', () => this.#guard(() => this.#refuseMany()))
    this.#parser.on('file', (_name, stream, fileName) => this.#takeFile(stream, fileName))
    this.#parser.on('finish', () => this.#guard(() => this.#finish()))
    this.#parser.on('error', (cause) => this.#fail(malformed(cause)))
  }

  async readFields(): Promise<void> {
    for (let bytes = 0; this.#files === 0; ) {
      if (this.#isBodyEnded) throw new S3Error('IncorrectNumberOfFilesInPostRequest')
      if (bytes > preambleMaxBytes) throw new S3Error('MaxPostPreDataLengthExceeded')
      bytes += await this.#feed()
    }
  }

  async *readFile(range: LengthRange | undefined): AsyncGenerator<Buffer, void, undefined> {
    const { minBytes = 0, maxBytes = putObjectMaxBytes } = range ?? {}
    const mostBytes = Math.min(maxBytes, putObjectMaxBytes)
    let bytes = 0
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure
        const piece = this.#pieces.shift()
        if (piece !== undefined) {
          bytes += piece.length
          if (bytes > mostBytes) throw new S3Error('EntityTooLarge', { details: { ProposedSize: bytes, MaxSizeAllowed: mostBytes } })
          yield piece
        } else if (this.#isFileEnded && this.#isBodyEnded) break
        else await this.#feed()
      }
      if (this.#files > 1) throw new S3Error('IncorrectNumberOfFilesInPostRequest')
      if (bytes < minBytes) throw new S3Error('EntityTooSmall', { details: { ProposedSize: bytes, MinSizeAllowed: minBytes } })
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    this.#parser.removeAllListeners('finish')
    await this.#body.return?.()
  }

  /** One piece of the body into the parser, and what it makes of it. @returns its length */
  async #feed(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure
    const { done, value } = await this.#body.next()
    this.#isBodyEnded = done === true
    if (this.#isFinished) return done === true ? 0 : value.length
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      // Woken by 'finish' or 'error', which may come later than the last byte was taken.
      if (done === true) this.#parser.end()
      else this.#parser.write(value, () => resolve())
    })
    // What the parser's inner streams hold back comes out in the next turn.
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (this.#failure !== undefined) throw this.#failure
    return done === true ? 0 : value.length
  }

  #takeField(name: string | undefined, value: string, isTruncated: boolean): void {
    // S3: "fields after the file are ignored".
    if (this.#files > 0) return
    if (name === undefined || name === '') throw malformed()
    this.#fieldsBytes += Buffer.byteLength(name) + Buffer.byteLength(value)
    if (isTruncated || this.#fieldsBytes > fieldsMaxBytes) throw new S3Error('MaxPostPreDataLengthExceeded')
    const lowerName = name.toLowerCase()
    if (this.fields.has(lowerName)) {
      throw new S3Error('InvalidArgument', {
        message: 'A field of the form is given twice.',
        details: { ArgumentName: lowerName.slice(0, 128) },
      })
    }
    this.fields.set(lowerName, value)
  }

  #refuseMany(): void {
    if (this.#files === 0) throw new S3Error('MaxPostPreDataLengthExceeded')
  }

  #takeFile(stream: BusboyFileStream, fileName: string | undefined): void {
    this.#files += 1
    if (this.#files > 1) {
      stream.on('error', () => {}).resume()
      return
    }
    this.fileName = fileName ?? ''
    stream.on('data', (piece: Buffer) => this.#pieces.push(piece))
    stream.on('end', () => {
      this.#isFileEnded = true
    })
    stream.on('error', (cause) => this.#fail(malformed(cause)))
  }

  #finish(): void {
    this.#isFinished = true
    this.#wake()
  }

  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#wake()
  }
}

function createParser(contentType: string): Parser {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      // A part's file name does not make it the file; its field name does.
      isPartAFile: (name) => name?.toLowerCase() === 'file',
      preservePath: true,
      limits: {
        fields: fieldsMax,
        fieldSize: fieldsMaxBytes,
        // One more than is allowed, to see it.
        files: 2,
        headerPairs: partHeadersMax,
        headerSize: partHeadersMaxBytes,
      },
    })
  } catch (cause) {
    throw malformed(cause)
  }
}

function malformed(cause?: unknown): S3Error {
  return new S3Error('MalformedPOSTRequest', { cause })
}
