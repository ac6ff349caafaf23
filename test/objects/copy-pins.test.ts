import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { createKeyring } from '../../src/blobs/seal.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createHashers } from '../../src/lib/hash.ts'
import { withContentOf } from '../../src/objects/copy.ts'
import { ReaderPins } from '../../src/objects/reader-pins.ts'
import { openRegion } from '../metadata/behaviour/region.ts'
import { memoryTiers } from '../support/tiers.ts'

it('a copy that fails before it has read a byte lets go of its source', async () => {
  const region = await openRegion()
  const directory = await mkdtemp(join(tmpdir(), 'farshore-copy-'))
  const blobs = await openBlobStore({ directory, boot: 1 })
  const hashing = await createHashers()
  onTestFinished(async () => {
    await blobs.close()
    await hashing.close()
    await rm(directory, { recursive: true, force: true })
  })
  const bytes = randomBytes(300_000)
  const { ref } = await blobs.write(bytes, { encrypt: false })
  const { version } = await region.put(await region.bucket('bucket'), 'key', { blob: ref, size: bytes.length })
  const readers = new ReaderPins()
  const keyring = createKeyring(randomBytes(32))
  const parts = { ...region, blobs, tiers: memoryTiers(), hashing, keyring, clock: systemClock, readers, encryptByDefault: false }
  const { signal } = new AbortController()
  const refused = withContentOf(parts, version, {
    signal,
    use: async () => {
      expect(readers.isPinned(ref)).toBe(true)
      throw new Error('no room')
    },
  })
  await expect(refused).rejects.toThrow('no room')
  expect(readers.isPinned(ref)).toBe(false)
})
