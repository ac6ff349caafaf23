/** The digests that S3 speaks: whole buffers in one call, streams piece by piece. */
import { createHash, hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type CrcEngine, type CrcEngines, createCrcEngines } from './hash-crc.ts'
import { HashThread, type StreamHasher } from './hash-thread.ts'

export type HashName = 'md5' | 'sha1' | 'sha256' | 'crc32' | 'crc32c' | 'crc64nvme'

/** Digest of a stream. An abandoned one costs nothing and needs no closing. */
export interface Hasher {
  update(chunk: Uint8Array): void
  /** The digest's bytes; a CRC is big-endian, as S3 encodes it. Ends the hasher: it is called once. */
  digest(): Buffer
}

export interface Hashing {
  hasher(name: HashName): Hasher
  digest(name: HashName, bytes: Uint8Array): Buffer
  /** Digests of a stream of that length: in a thread of their own where that is faster. */
  stream(names: readonly HashName[], lengthBytes: number): StreamHasher
  /** Ends the thread, if there is one. */
  close(): Promise<void>
}

/** Loads the WebAssembly parts (a few ms), so that everything after is synchronous. */
export async function createHashers(): Promise<Hashing> {
  const engines = await createCrcEngines()
  const thread = new HashThread()
  return {
    stream: (names, lengthBytes) => thread.hasher(names, lengthBytes) ?? inLoop(names, engines),
    close: () => thread.close(),
    hasher: (name) => hasherOf(name, engines),
    digest: (name, bytes) => digestOf({ name, bytes, engines }),
  }
}

function inLoop(names: readonly HashName[], engines: CrcEngines): StreamHasher {
  const hashers = new Map(names.map((name) => [name, hasherOf(name, engines)]))
  return {
    update(chunk) {
      for (const hasher of hashers.values()) hasher.update(chunk)
    },
    digests: () => new Map([...hashers].map(([name, hasher]) => [name, hasher.digest()])),
    abandon() {},
  }
}

function hasherOf(name: HashName, engines: CrcEngines): Hasher {
  switch (name) {
    case 'md5':
    case 'sha1':
    case 'sha256':
      return createHash(name)
    case 'crc32':
      return crc32Hasher()
    case 'crc32c':
    case 'crc64nvme':
      return engines[name].hasher()
    default:
      return name satisfies never
  }
}

function digestOf({ name, bytes, engines }: { name: HashName; bytes: Uint8Array; engines: CrcEngines }): Buffer {
  switch (name) {
    case 'md5':
    case 'sha1':
    case 'sha256':
      return hash(name, bytes, 'buffer')
    case 'crc32':
      return bigEndian32(crc32(bytes))
    case 'crc32c':
    case 'crc64nvme':
      return once(engines[name], bytes)
    default:
      return name satisfies never
  }
}

function once(engine: CrcEngine, bytes: Uint8Array): Buffer {
  const hasher = engine.hasher()
  hasher.update(bytes)
  return hasher.digest()
}

function crc32Hasher(): Hasher {
  let value = 0
  let isDone = false
  const checkOpen = (): void => {
    if (isDone) throw new Error('Digest already called')
  }
  return {
    update(chunk) {
      checkOpen()
      value = crc32(chunk, value)
    },
    digest() {
      checkOpen()
      isDone = true
      return bigEndian32(value)
    },
  }
}

function bigEndian32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}
