import { open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { BlobCorrupt, BlobMissing } from '../../src/blobs/errors.ts'
import { placeOf } from '../../src/blobs/ref.ts'
import type { BlobStore, WrittenBlob } from '../../src/blobs/store.ts'
import { openStore, pathOf, readAll, someBytes } from './harness.ts'

async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, at)
  byte[0] = (byte[0] ?? 0) ^ 0x01
  await file.write(byte, 0, 1, at)
  await file.close()
}

function offsetOf(blob: WrittenBlob): number {
  const place = placeOf(blob.ref)
  return place?.kind === 'record' ? place.offset : 0
}

/** Reads to the error, which must be BlobCorrupt; whatever came before it must be right. */
async function expectCorrupt(store: BlobStore, blob: WrittenBlob, bytes: Buffer): Promise<void> {
  const seen: Buffer[] = []
  let error: unknown
  try {
    for await (const piece of store.read(blob.ref, blob)) seen.push(piece)
  } catch (caught) {
    error = caught
  }
  expect(error).toBeInstanceOf(BlobCorrupt)
  expect(error).toMatchObject({ ref: blob.ref })
  const got = Buffer.concat(seen)
  expect(got.equals(bytes.subarray(0, got.length))).toBe(true)
}

describe.each([{ encrypt: false }, { encrypt: true }])('with encrypt $encrypt', ({ encrypt }) => {
  it('finds a flipped bit in every byte of a record', async () => {
    const store = await openStore()
    const bytes = someBytes(40)
    await store.write(someBytes(30), { encrypt })
    const blob = await store.write(bytes, { encrypt })
    await store.write(someBytes(30), { encrypt })
    const path = pathOf(store.directory, blob.ref)
    for (let at = offsetOf(blob); at < offsetOf(blob) + blob.storedBytes; at += 1) {
      await flip(path, at)
      await expectCorrupt(store, blob, bytes)
      await flip(path, at)
    }
    expect((await readAll(store, blob)).equals(bytes)).toBe(true)
  })

  it('finds a flipped bit in data, table and footer of a file, and names the block', async () => {
    const store = await openStore()
    const length = 2_100_000
    const bytes = someBytes(length)
    const blob = await store.write(bytes, { encrypt })
    const path = pathOf(store.directory, blob.ref)
    const data = [0, 65_535, 65_536, 1_048_575, 1_048_576, length - 1]
    // Every byte of the first two table entries, of the last two, and of the footer.
    const ends = Array.from({ length: blob.storedBytes - length }, (_, index) => length + index)
    for (const at of [...data, ...ends.slice(0, 40), ...ends.slice(-56)]) {
      await flip(path, at)
      await expectCorrupt(store, blob, bytes)
      await flip(path, at)
    }
    expect((await readAll(store, blob)).equals(bytes)).toBe(true)
    await flip(path, 65_536)
    await expect(readAll(store, blob)).rejects.toMatchObject({ name: 'BlobCorrupt', block: 1 })
    expect((await readAll(store, blob, { range: { start: 0, endInclusive: 65_535 } })).equals(bytes.subarray(0, 65_536))).toBe(true)
  })

  it('finds a file that was cut short, to any length', async () => {
    const store = await openStore()
    const bytes = someBytes(300_000)
    for (const cut of [1, 4, 16, 30, 100_000, 300_000]) {
      const blob = await store.write(bytes, { encrypt })
      await truncate(pathOf(store.directory, blob.ref), blob.storedBytes - cut)
      await expectCorrupt(store, blob, bytes)
    }
  })

  it('finds a segment that was cut short', async () => {
    const store = await openStore()
    const bytes = someBytes(1000)
    const blob = await store.write(bytes, { encrypt })
    await truncate(pathOf(store.directory, blob.ref), blob.storedBytes - 1)
    await expectCorrupt(store, blob, bytes)
  })

  it('finds two files of one length that changed places', async () => {
    const store = await openStore()
    const [one, other] = [someBytes(200_000), someBytes(200_000)]
    const [first, second] = [await store.write(one, { encrypt }), await store.write(other, { encrypt })]
    const [firstPath, secondPath] = [pathOf(store.directory, first.ref), pathOf(store.directory, second.ref)]
    await rename(firstPath, `${firstPath}.away`)
    await rename(secondPath, firstPath)
    await rename(`${firstPath}.away`, secondPath)
    await expectCorrupt(store, first, one)
    await expectCorrupt(store, second, other)
  })

  it('finds two blocks of a file that changed places', async () => {
    const store = await openStore()
    const bytes = someBytes(200_000)
    const blob = await store.write(bytes, { encrypt })
    const path = pathOf(store.directory, blob.ref)
    const stored = await readFile(path)
    const entryBytes = encrypt ? 20 : 4
    swap(stored, { one: 0, other: 65_536, length: 65_536 })
    swap(stored, { one: 200_000, other: 200_000 + entryBytes, length: entryBytes })
    await writeFile(path, stored)
    await expectCorrupt(store, blob, bytes)
  })

  it('finds two records of one length that changed places', async () => {
    const store = await openStore()
    const [one, other] = [someBytes(500), someBytes(500)]
    const [first, second] = [await store.write(one, { encrypt }), await store.write(other, { encrypt })]
    const path = pathOf(store.directory, first.ref)
    const stored = await readFile(path)
    swap(stored, { one: offsetOf(first), other: offsetOf(second), length: first.storedBytes })
    await writeFile(path, stored)
    await expectCorrupt(store, first, one)
    await expectCorrupt(store, second, other)
  })

  it('refuses a length that is not the one that was written', async () => {
    const store = await openStore()
    for (const length of [1000, 200_000]) {
      const bytes = someBytes(length)
      const blob = await store.write(bytes, { encrypt })
      await store.write(someBytes(1000), { encrypt })
      for (const lengthBytes of [length - 1, length + 1]) await expectCorrupt(store, { ...blob, lengthBytes }, bytes)
    }
  })
})

it('refuses a data key of another blob, one that is missing, and one too many', async () => {
  const store = await openStore()
  for (const length of [1000, 200_000]) {
    const bytes = someBytes(length)
    const sealed = await store.write(bytes, { encrypt: true })
    const plain = await store.write(bytes, { encrypt: false })
    await store.write(bytes, { encrypt: false })
    await expectCorrupt(store, { ...sealed, dataKey: someBytes(32) }, bytes)
    await expectCorrupt(store, { ...plain, dataKey: someBytes(32) }, bytes)
    const { dataKey: _, ...keyless } = sealed
    await expectCorrupt(store, keyless, bytes)
  }
})

it('says BlobMissing when the file or segment is not there, and BlobCorrupt for text that is no ref', async () => {
  const store = await openStore()
  for (const length of [10, 200_000]) {
    const blob = await store.write(someBytes(length), { encrypt: false })
    await rm(pathOf(store.directory, blob.ref))
    await expect(readAll(store, blob)).rejects.toThrow(BlobMissing)
  }
  for (const ref of ['', '../../etc/passwd', 's00000001-00000000', 'f00000001-../../../../../../../../../../etc/pass']) {
    await expect(readAll(store, { ref, lengthBytes: 10, storedBytes: 0 })).rejects.toThrow(BlobCorrupt)
  }
})

function swap(bytes: Buffer, { one, other, length }: { one: number; other: number; length: number }): void {
  const kept = Buffer.from(bytes.subarray(one, one + length))
  bytes.copy(bytes, one, other, other + length)
  kept.copy(bytes, other)
}
