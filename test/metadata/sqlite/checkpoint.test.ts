import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Checkpoints, checkpointsInWorker } from '../../../src/metadata/sqlite/checkpoint-thread.ts'
import { type Log, silentLog } from '../../../src/metadata/sqlite/io.ts'
import { allNames, commit, eventually, openStore, TestDisk, temporaryFolder } from './store.ts'

const mib = 1024 * 1024

it('keeps the -wal within its budget while writers go on, and empties it at the close', { timeout: 30_000 }, async () => {
  const directory = await temporaryFolder()
  const wal = join(directory, 'metadata.db-wal')
  const metadata = await openStore({ directory })
  const padding = 'x'.repeat(20_000)
  let largest = 0
  const writer = async (number: number): Promise<void> => {
    for (let count = 0; count < 250; count++) {
      await commit(metadata, 'put', { name: `${number}-${count}`, padding })
      largest = Math.max(largest, statSync(wal).size)
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, number) => writer(number))) // 80 MiB
  expect(largest).toBeGreaterThan(16 * mib)
  expect(largest).toBeLessThan(56 * mib)
  expect(await metadata.read(allNames)).toHaveLength(4_000)
  await metadata.close()
  expect(() => statSync(wal)).toThrow(/ENOENT/)
  const again = await openStore({ directory })
  expect(await again.read(allNames)).toHaveLength(4_000)
})

it('tries again when somebody stands in the way of a checkpoint', async () => {
  const io = new TestDisk()
  let nowMs = 1_000
  let isBlocked = true
  const ended: boolean[] = []
  io.checkpoints = (file): Checkpoints => {
    const real = checkpointsInWorker(file)
    return {
      run: async (mode) => ({ ...(await real.run(mode)), isBusy: isBlocked }),
      close: () => real.close(),
    }
  }
  const log: Log = { ...silentLog, info: (fields) => ended.push('isWhole' in fields && fields.isWhole === true) }
  const metadata = await openStore({ io, log, clock: { nowMs: () => nowMs } })
  const fill = async (letter: string): Promise<void> => {
    for (let count = 0; count < 20; count++) await commit(metadata, 'put', { name: `item-${count}`, padding: letter.repeat(1_000_000) })
  }
  await fill('a')
  await eventually(() => ended.length === 1)
  isBlocked = false
  await fill('b')
  expect(ended).toEqual([false]) // not again within a second
  nowMs += 1_000
  await fill('c')
  await eventually(() => ended.length > 1)
  expect(ended).toContain(true)
})
