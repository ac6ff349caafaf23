/** Who takes a large blob slowly, when many do, has a slice of a block in memory: and gets every byte of it, checked. */
import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BufferPool } from '../../src/blobs/buffer-pool.ts'
import { BlobCorrupt } from '../../src/blobs/errors.ts'
import { nodeFileOps } from '../../src/blobs/file-ops.ts'
import { readBlobFile } from '../../src/blobs/file-reader.ts'
import { type WrittenFile, writeBlobFile } from '../../src/blobs/file-writer.ts'
import { placeOf } from '../../src/blobs/ref.ts'
import { Room } from '../../src/blobs/room.ts'
import { Source } from '../../src/blobs/source.ts'

const blockBytes = 64 * 1024
/** Longer than a block is kept. */
const pauseMs = 400
const bytes = Buffer.alloc(3 * blockBytes + 1000, 'some bytes that repeat, but not in step with blocks. ')
const slowChunks = [...Array.from({ length: 10 }, (_, n) => bytes.subarray(n, n + 1)), bytes.subarray(10, 5000), bytes.subarray(5000)]

let folder: string
let pool: BufferPool

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-slow-reader-'))
  await mkdir(join(folder, 'tmp'))
  for (let n = 0; n < 256; n++) await mkdir(join(folder, 'files', n.toString(16).padStart(2, '0')), { recursive: true })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

beforeEach(() => {
  // No large buffers: as if many others had them.
  pool = new BufferPool({ sizeBytes: 1024 * 1024, keptMax: 1, largeMax: 0 })
})

describe.each([false, true])('with encrypt %s', (encrypt) => {
  it('gives every byte to who pauses, and to who does not', async () => {
    const written = await write(encrypt)
    for (const pausesAt of [[], [0, 5], [3, 4, 12]]) expect(await read(written, { pausesAt })).toEqual(bytes)
  })

  it('writes and reads files without a byte', async () => {
    for (let n = 0; n < 2; n++) expect(await read(await write(encrypt, []), { pausesAt: [] })).toHaveLength(0)
  })

  it('gives the bytes of a range', async () => {
    const written = await write(encrypt)
    const range = { start: 70_000, endInclusive: 150_000 }
    expect(await read(written, { pausesAt: [1], range })).toEqual(bytes.subarray(70_000, 150_001))
  })

  it('checks a block again that it reads again', async () => {
    const written = await write(encrypt)
    const rot = async (): Promise<void> => {
      const file = await open(await pathOf(written), 'r+')
      await file.write(Buffer.from('rot'), 0, 3, blockBytes - 10)
      await file.close()
    }
    await expect(read(written, { pausesAt: [0], rot })).rejects.toThrow(BlobCorrupt)
  })
})

/** By default byte by byte at first, as a slow sender does. */
async function write(encrypt: boolean, chunks: readonly Buffer[] = slowChunks): Promise<WrittenFile> {
  const parts = {
    ops: nodeFileOps,
    pool,
    boot: 1,
    tmpFolder: join(folder, 'tmp'),
    filesFolder: join(folder, 'files'),
    room: new Room({ ops: nodeFileOps, folder, reserveBytes: 0 }),
    onLeftover: () => {},
  }
  return await writeBlobFile(parts, { source: new Source(chunks, { lengthBytes: Buffer.concat(chunks).length, signals: [] }), encrypt })
}

async function pathOf({ ref }: WrittenFile): Promise<string> {
  const place = placeOf(ref)
  if (place?.kind !== 'file') throw new Error('it is no file')
  const names = await readdir(join(folder, 'files'), { recursive: true })
  const name = names.find((one) => one.includes(place.id))
  if (name === undefined) throw new Error('the file is not there')
  return join(folder, 'files', name)
}

interface Reading {
  /** Numbers of the pieces behind which the reader pauses. */
  readonly pausesAt: readonly number[]
  readonly range?: { readonly start: number; readonly endInclusive: number }
  /** Done in each pause. */
  readonly rot?: () => Promise<void>
}

async function read(written: WrittenFile, { pausesAt, range, rot }: Reading): Promise<Buffer> {
  const place = placeOf(written.ref)
  if (place?.kind !== 'file') throw new Error('it is no file')
  const { ref, lengthBytes, dataKey } = written
  const id = Buffer.from(place.id, 'hex')
  const path = await pathOf(written)
  const pieces: Buffer[] = []
  for await (const piece of readBlobFile({
    ops: nodeFileOps,
    pool,
    path,
    ref,
    id,
    lengthBytes,
    dataKey,
    range,
    signal: undefined,
    reuseBuffers: true,
  })) {
    pieces.push(Buffer.from(piece))
    if (!pausesAt.includes(pieces.length - 1)) continue
    await rot?.()
    await sleep(pauseMs)
  }
  return Buffer.concat(pieces)
}
