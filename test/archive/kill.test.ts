/** `kill -9` at each step of moves, restores, expiries and removals: every object stays readable or can be restored, and nothing is left that no row knows. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { tierWrites } from '../../src/metadata/tables/tier-writes.ts'
import { needsRestore } from '../../src/model/storage-class.ts'
import { tierOfRef } from '../../src/model/tier-refs.ts'
import { bytesFor, ownFolder, standingBucket } from '../objects/space.ts'
import { dayMs } from './archive-space.ts'
import { openKilled, sizes, tierFolder } from './killed.ts'

const script = fileURLToPath(new URL('./killed-process.ts', import.meta.url))
const atOnce = 2
const pointsAtLeast = 30

interface Life {
  readonly put: readonly (keyof typeof sizes)[]
  readonly isDeleting: boolean
  readonly died: string | undefined
}

it('holds every acknowledged object after a kill at any step, and leaves no orphan after a sweep', { timeout: 300_000 }, async () => {
  const died = new Set<string>()
  // Every second step, from the first or the second on: a run takes half of the time, and two see all of them.
  let next = 1 + Math.floor(Math.random() * 2)
  let isOver = false
  const one = async (): Promise<void> => {
    while (!isOver) {
      const dieAt = next
      next += 2
      const folder = await folderWithBucket()
      const life = await live(folder, dieAt)
      if (life.died === undefined) isOver = true
      else died.add(`${dieAt} ${life.died}`)
      await judge(folder, life)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  expect(died.size).toBeGreaterThanOrEqual(pointsAtLeast)
})

async function folderWithBucket(): Promise<string> {
  const folder = await ownFolder()
  const space = await openKilled(folder)
  await space.bucket('killed')
  await space.close()
  return folder
}

async function live(folder: string, dieAt: number): Promise<Life> {
  const child = spawn(process.execPath, [script, folder, String(dieAt)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(child, 'close')
  const lines = text.split('\n').map((line) => line.split(' '))
  const died = lines.find(([what]) => what === 'died')
  expect([child.signalCode, child.exitCode], text).toEqual(died === undefined ? [null, 0] : ['SIGKILL', null])
  return {
    put: lines.flatMap(([what, key]) => (what === 'put' ? [key as keyof typeof sizes] : [])),
    isDeleting: lines.some(([what]) => what === 'deleting'),
    died: died?.slice(1).join(' '),
  }
}

async function judge(folder: string, { put, isDeleting, died }: Life): Promise<void> {
  const space = await openKilled(folder)
  // Behind the time of the one that died, which set its clock forward.
  space.clock.offsetMs = 20 * dayMs
  const bucket = await standingBucket(space.metadata, 'killed')
  await space.settle()
  const kept = put.filter((key) => key !== 'small' || !isDeleting)
  for (const key of kept) {
    const version = await space.objects.find({ bucket, key })
    if (needsRestore(version.storageClass) && version.record.restore === undefined)
      await space.objects.restore(version, { days: 1000, tier: 'Standard', delayMs: 0, dayMs })
    await space.settle()
    const read = await space.get(bucket, key).catch(async () => {
      // The days of a copy that the dead one made may have ended meanwhile.
      await space.settle()
      await space.objects.restore(await space.objects.find({ bucket, key }), { days: 1000, tier: 'Standard', delayMs: 0, dayMs })
      await space.settle()
      return await space.get(bucket, key)
    })
    expect(read.equals(bytesFor(key, sizes[key])), `${key} after ${died}`).toBe(true)
  }
  const page = await space.objects.listCurrent({ bucket, prefix: '', delimiter: '', maxEntries: 10, start: undefined })
  const versions = await Promise.all(page.contents.map(({ key }) => space.objects.find({ bucket, key })))
  const refs = versions.flatMap(({ blob = '' }) => (tierOfRef(blob) === undefined ? [] : [blob]))
  expect((await filesBelow(tierFolder(folder))).length, `tier after ${died}`).toBe(refs.length)
  for (const { key } of page.contents) await space.objects.delete({ bucket, key, ownerId: 'owner' })
  await space.settle()
  expect(await filesBelow(tierFolder(folder)), `tier, emptied, after ${died}`).toEqual([])
  expect(await filesBelow(join(folder, 'blobs', 'files')), `disk, emptied, after ${died}`).toEqual([])
  expect(await space.metadata.read(() => tierWrites({ after: '', limit: 10 }))).toEqual([])
  await space.close()
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return found.filter((entry) => entry.isFile()).map(({ name }) => name)
}
