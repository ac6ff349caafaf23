/** A region that changes between two looks of a check: each race by itself, at the worst moment. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openBlobReader } from '../../src/blobs/open-blob-reader.ts'
import { Collector } from '../../src/check/report.ts'
import { checkVersions, type VersionsCheck } from '../../src/check/versions.ts'
import { schema } from '../../src/metadata/schema.ts'
import { openReader } from '../../src/metadata/sqlite/open-reader.ts'
import { bytesFor, emptyAround, never, type Space, useSpace } from '../objects/space.ts'

const schemaVersion = schema.at(-1)?.version ?? 0

/** @param between  awaited before the first blob is read */
async function findingsOf(space: Space, between: () => Promise<void>): Promise<readonly unknown[]> {
  const reader = openReader({ directory: join(space.folder, 'metadata'), schemaVersion })
  const blobs = openBlobReader({ directory: join(space.folder, 'blobs') })
  const collector = new Collector(() => 'bucket')
  let first: Promise<void> | undefined
  const proof: VersionsCheck['proof'] = {
    ...space.parts,
    blobs: {
      read: (ref, options) => blobs.read(ref, options),
      async readWhole(ref, options) {
        first ??= between()
        await first
        return await blobs.readWhole(ref, options)
      },
    },
  }
  await checkVersions({ reader, proof, collector, signal: never })
  reader.close()
  await blobs.close()
  expect(first).toBeDefined()
  return collector.findings
}

it('follows a version whose bytes were moved after its row was read', async () => {
  const space = await useSpace()
  const bucket = await space.bucket('moved')
  const { blob } = await space.put(bucket, 'key', bytesFor('value', 5000))
  expect(await findingsOf(space, () => emptyAround(space, bucket))).toEqual([])
  expect((await space.objects.find({ bucket, key: 'key' })).blob).not.toBe(blob)
})

it('passes over a version that was overwritten after its row was read, and its bytes taken away', async () => {
  const space = await useSpace()
  const bucket = await space.bucket('overwritten')
  await space.put(bucket, 'key', bytesFor('value', 5000))
  const overwritten = async (): Promise<void> => {
    await space.put(bucket, 'key', bytesFor('other', 300_000))
    await emptyAround(space, bucket)
  }
  expect(await findingsOf(space, overwritten)).toEqual([])
})

it('asks again when the latest version of a key with many is another than a page ago', async () => {
  const space = await useSpace()
  const { id: bucketId } = await space.bucket('many')
  await space.metadata.commit({ tx: 'setVersioning', bucketId, versioning: 'Enabled' })
  const bucket = { id: bucketId, name: 'many', region: 'us-east-1', ownerId: 'owner', createdMs: 1, settings: {} } as const
  const made = []
  for (let n = 0; n < 520; n++) made.push(await space.put({ ...bucket, state: 'active', versioning: 'Enabled' }, 'key', Buffer.from([1])))
  const deletions = made.slice(1).map(({ id }) => ({ kind: 'version', bucketId, key: 'key', versionId: id }) as const)
  expect(await findingsOf(space, async () => void (await space.metadata.commit({ tx: 'deleteMany', deletions })))).toEqual([])
})
