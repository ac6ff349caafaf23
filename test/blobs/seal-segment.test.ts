import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { placeOf } from '../../src/blobs/ref.ts'

it('a segment is sealed although writers never pause', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'farshore-seal-'))
  const store = await openBlobStore({ directory, boot: 1 })
  onTestFinished(async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })
  let isOver = false
  const bytes = Buffer.alloc(1000, 'x')
  const { ref } = await store.write(bytes, { encrypt: false })
  const place = placeOf(ref)
  if (place?.kind !== 'record') throw new Error('it was small')
  const writers = Array.from({ length: 16 }, async () => {
    while (!isOver) await store.write(bytes, { encrypt: false })
  })
  await store.seal(place)
  isOver = true
  await Promise.all(writers)
  expect(store.isSealed(place)).toBe(true)
  expect(await store.readWhole(ref, { lengthBytes: bytes.length })).toEqual(bytes)
})
