import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { BlobIoError, DiskFull } from '../../src/blobs/errors.ts'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { placeOf } from '../../src/blobs/ref.ts'
import type { BlobStore, WrittenBlob } from '../../src/blobs/store.ts'
import { eventually, filesBelow, inChunks, openStore, ownFolder, pathOf, readAll, someBytes } from './harness.ts'
import { type Fault, WatchedDisk } from './watched-disk.ts'

function isDurable(ops: WatchedDisk, directory: string, blob: WrittenBlob): boolean {
  const place = placeOf(blob.ref)
  const from = place?.kind === 'record' ? place.offset : 0
  return ops.isDurable(pathOf(directory, blob.ref), { from, to: from + blob.storedBytes })
}

describe('group commit', () => {
  it('shares syncs between small writes that come together, and answers each after the sync that covers it', async () => {
    const ops = new WatchedDisk()
    const store = await openStore({ ops })
    const durable = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        // Some come together, some while a sync is running.
        for (let turns = 0; turns < index % 7; turns += 1) await turn()
        const blob = await store.write(someBytes(4096), { encrypt: index % 2 === 0 })
        return isDurable(ops, store.directory, blob)
      }),
    )
    expect(durable).not.toContain(false)
    expect(ops.count('fdatasync')).toBeLessThan(50)
    expect(ops.violations).toEqual([])
  })

  it('does not answer while the sync is still running', async () => {
    const ops = new WatchedDisk()
    const store = await openStore({ ops })
    const release = ops.hold('fdatasync')
    let isAnswered = false
    const writing = store.write(someBytes(100), { encrypt: false }).then(() => {
      isAnswered = true
    })
    await eventually(() => ops.count('fdatasync') === 1)
    for (let turns = 0; turns < 20; turns += 1) await turn()
    expect(isAnswered).toBe(false)
    release()
    await writing
  })

  it('holds writers back when the disk is slow, so that waiting records have a limit', async () => {
    const ops = new WatchedDisk()
    const store = await openStore({ ops })
    const release = ops.hold('fdatasync')
    const bytes = someBytes(128 * 1024)
    const writes = Array.from({ length: 200 }, () => store.write(bytes, { encrypt: false }))
    await eventually(() => ops.count('fdatasync') === 1)
    for (let turns = 0; turns < 20; turns += 1) await turn()
    expect(store.status().queuedBytes).toBeLessThanOrEqual(8 * 1024 * 1024 + 132_000)
    release()
    const blobs = await Promise.all(writes)
    expect(new Set(blobs.map(({ ref }) => ref)).size).toBe(200)
  })

  it('goes on in a new segment when one is full', async () => {
    const store = await openStore({ segmentLimitBytes: 200_000 })
    const written = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const bytes = someBytes(20_000 + index)
        return { bytes, blob: await store.write(bytes, { encrypt: false }) }
      }),
    )
    for (const { bytes, blob } of written) expect((await readAll(store, blob)).equals(bytes)).toBe(true)
    const files = [...(await filesBelow(store.directory)).values()]
    expect(files.length).toBeGreaterThanOrEqual(4)
    expect(Math.max(...files.map(({ length }) => length))).toBeLessThanOrEqual(200_000)
  })
})

interface Outcome {
  readonly bytes: Buffer
  readonly blob: WrittenBlob
}

/** Mixed work, some of it together and some after, that notes what was acknowledged and whether it was durable at that moment. */
async function work(store: BlobStore, ops: WatchedDisk, directory: string): Promise<{ acknowledged: Outcome[]; failures: unknown[] }> {
  const acknowledged: Outcome[] = []
  const failures: unknown[] = []
  const one = async (length: number, encrypt: boolean): Promise<void> => {
    const bytes = someBytes(length)
    try {
      const blob = await store.write(inChunks(bytes), { encrypt })
      if (!isDurable(ops, directory, blob)) ops.violations.push(`${blob.ref} was acknowledged before it was durable`)
      acknowledged.push({ bytes, blob })
    } catch (error) {
      failures.push(error)
    }
  }
  await Promise.all([one(10, false), one(4096, true), one(100_000, false), one(140_000, false), one(1_200_000, true)])
  await Promise.all([one(200, false), one(90_000, true)])
  await one(300, false)
  return { acknowledged, failures }
}

const faults: Omit<Fault, 'nth'>[] = [
  { op: 'open', how: 'EIO' },
  { op: 'open', how: 'ENOSPC' },
  { op: 'write', how: 'EIO' },
  { op: 'write', how: 'ENOSPC' },
  { op: 'write', how: 'short' },
  { op: 'fdatasync', how: 'EIO' },
  { op: 'fdatasync', how: 'ENOSPC' },
  { op: 'fsync', how: 'EIO' },
  { op: 'rename', how: 'EIO' },
  { op: 'rename', how: 'ENOSPC' },
  { op: 'close', how: 'EIO' },
]

describe('when the disk fails once', () => {
  it.each(faults)(
    'with $how at any $op, nothing acknowledged is lost and nothing is left behind',
    { timeout: 60_000 },
    async ({ op, how }) => {
      let nth = 1
      for (; ; nth += 1) {
        const directory = await ownFolder()
        const ops = new WatchedDisk()
        const store = await openBlobStore({ directory, boot: 1, ops, segmentLimitBytes: 250_000 })
        ops.arm({ op, nth, how })
        const { acknowledged, failures } = await work(store, ops, directory)
        const wasHit = ops.faultHit
        await store.close()
        expect(ops.violations).toEqual([])
        expect(ops.openDescriptors).toBe(0)
        const isHarmless = how === 'short' || op === 'close' || !wasHit
        if (isHarmless) expect(failures).toEqual([])
        else expect(failures.length).toBeGreaterThan(0)
        for (const failure of failures) expect(failure).toBeInstanceOf(how === 'ENOSPC' ? DiskFull : BlobIoError)
        const again = await openBlobStore({ directory, boot: 2 })
        for (const { bytes, blob } of acknowledged) expect((await readAll(again, blob)).equals(bytes)).toBe(true)
        await again.close()
        const files = [...(await filesBelow(directory)).keys()].filter((path) => !path.includes('/segments/'))
        expect(files.sort()).toEqual(
          acknowledged
            .filter(({ blob }) => blob.ref.startsWith('f'))
            .map(({ blob }) => pathOf(directory, blob.ref))
            .sort(),
        )
        if (!wasHit) break
      }
      expect(nth, 'the fault was met at least once').toBeGreaterThan(1)
    },
  )

  it('goes on in another segment, and never writes to the one whose sync failed', async () => {
    const ops = new WatchedDisk()
    const store = await openStore({ ops })
    const before = await store.write(someBytes(10), { encrypt: false })
    ops.arm({ op: 'fdatasync', nth: 1, how: 'EIO' })
    await expect(store.write(someBytes(10), { encrypt: false })).rejects.toThrow(BlobIoError)
    const after = await store.write(someBytes(10), { encrypt: false })
    expect(after.ref.slice(0, 18)).not.toBe(before.ref.slice(0, 18))
    expect((await readAll(store, before)).length).toBe(10)
    expect(ops.violations).toEqual([])
  })

  it('keeps the segment of a failed group when earlier records are in it, and takes it away when none are', async () => {
    const ops = new WatchedDisk()
    const store = await openStore({ ops })
    ops.arm({ op: 'write', nth: 1, how: 'ENOSPC' })
    await expect(store.write(someBytes(10), { encrypt: false })).rejects.toThrow(DiskFull)
    await eventually(async () => (await filesBelow(store.directory)).size === 0)
  })

  it('tries again at close to unlink a temporary file that it could not', async () => {
    const ops = new WatchedDisk()
    const store = await openStore({ ops })
    async function* breaking(): AsyncGenerator<Buffer> {
      yield someBytes(200_000)
      ops.arm({ op: 'unlink', nth: 1, how: 'EIO' })
      throw new Error('the sender went away')
    }
    await expect(store.write(breaking(), { encrypt: false })).rejects.toThrow('the sender went away')
    expect(store.status().leftovers).toBe(1)
    await store.close()
    expect((await filesBelow(store.directory)).size).toBe(0)
  })

  it('passes a read error on as BlobIoError and leaves no descriptor', async () => {
    const ops = new WatchedDisk()
    const store = await openStore({ ops })
    const small = await store.write(someBytes(100), { encrypt: false })
    const large = await store.write(someBytes(3_000_000), { encrypt: false })
    for (const blob of [small, large]) {
      for (let nth = 1; nth <= (blob === small ? 1 : 5); nth += 1) {
        ops.arm({ op: 'read', nth, how: 'EIO' })
        await expect(readAll(store, blob)).rejects.toThrow(BlobIoError)
      }
    }
    expect(store.status().readers).toBe(0)
    await store.close()
    expect(ops.openDescriptors).toBe(0)
  })
})

it('opens nothing half: a folder that cannot be prepared leaves no descriptor', async () => {
  for (const op of ['mkdir', 'readdir', 'open', 'fsync'] as const) {
    const ops = new WatchedDisk()
    ops.arm({ op, nth: 1, how: 'EIO' })
    await expect(openBlobStore({ directory: await ownFolder(), boot: 1, ops })).rejects.toThrow('EIO')
    expect(ops.openDescriptors).toBe(0)
  }
})
