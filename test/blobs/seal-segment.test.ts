import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { type FileOps, nodeFileOps } from '../../src/blobs/file-ops.ts'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { placeOf } from '../../src/blobs/ref.ts'

/** Longer than the pause between two writes, so that one always waits when a group is done. */
const syncMs = 10
const writeEveryMs = 1
const slowOps: FileOps = { ...nodeFileOps, fdatasync: (fd) => nodeFileOps.fdatasync(fd).then(() => delay(syncMs)) }

it('a segment is sealed although writers never pause', { timeout: 10_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'farshore-seal-'))
  const store = await openBlobStore({ directory, boot: 1, ops: slowOps })
  const bytes = Buffer.alloc(1000, 'x')
  const writes: Promise<unknown>[] = []
  const load = setInterval(() => writes.push(store.write(bytes, { encrypt: false })), writeEveryMs)
  onTestFinished(async () => {
    clearInterval(load)
    await Promise.all(writes)
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })
  const { ref } = await store.write(bytes, { encrypt: false })
  const place = placeOf(ref)
  if (place?.kind !== 'record') throw new Error('it was small')
  // Resolves only when nothing more is written to it, while the load goes on.
  await store.seal(place)
  expect(store.isSealed(place)).toBe(true)
  expect(await store.readWhole(ref, { lengthBytes: bytes.length })).toEqual(bytes)
})
