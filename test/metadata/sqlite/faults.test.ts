import { existsSync, readFileSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CheckpointFailed } from '../../../src/metadata/sqlite/checkpoint-thread.ts'
import { allNames, commit, eventually, ioError, item, note, openStore, TestDisk, temporaryFolder } from './store.ts'

const mib = 1024 * 1024

describe('a failed sync', () => {
  it('ends all writing until restart, naming why', async () => {
    const io = new TestDisk()
    const directory = await temporaryFolder()
    const metadata = await openStore({ io, directory })
    io.failure = ioError()
    const refusal = { code: 'ServiceUnavailable', status: 503, message: expect.stringContaining('EIO') }
    await expect(commit(metadata, 'put', { name: 'a' })).rejects.toMatchObject(refusal)
    io.failure = undefined
    await expect(commit(metadata, 'remove', { name: 'a' })).rejects.toMatchObject(refusal)
    expect(metadata.status()).toMatchObject({ state: 'fenced', reason: expect.stringContaining('EIO'), durableSeq: 0 })
    await eventually(() => existsSync(join(directory, 'fenced')) && readFileSync(join(directory, 'fenced'), 'utf8').includes('EIO'))
  })

  it('rejects commands that wait behind it', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    io.hold()
    io.failure = ioError()
    const waiting = [commit(metadata, 'put', { name: 'a' })]
    await eventually(() => io.held === 1)
    waiting.push(commit(metadata, 'put', { name: 'b' }), commit(metadata, 'look', {}).then(Number))
    io.release()
    const results = await Promise.allSettled(waiting)
    expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(Array(3).fill('ServiceUnavailable'))
  })

  it('lets durable rows be read, and no others', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    await commit(metadata, 'put', { name: 'durable' })
    io.failure = ioError()
    await expect(commit(metadata, 'put', { name: 'lost' })).rejects.toMatchObject({ code: 'ServiceUnavailable' })
    expect(await metadata.read(item('durable'))).toMatchObject({ name: 'durable', seq: 1 })
    expect(await metadata.read(note)).toEqual({ name: 'first' })
    await expect(metadata.read(item('lost'))).rejects.toMatchObject({ code: 'ServiceUnavailable' })
    await expect(metadata.read(allNames)).rejects.toMatchObject({ code: 'ServiceUnavailable' })
  })

  it('leaves the -wal as it is, and the next start copies it before it is used', async () => {
    const io = new TestDisk()
    const directory = await temporaryFolder()
    const wal = join(directory, 'metadata.db-wal')
    const metadata = await openStore({ io, directory })
    await commit(metadata, 'put', { name: 'a' })
    io.failure = ioError()
    await expect(commit(metadata, 'put', { name: 'b' })).rejects.toMatchObject({ code: 'ServiceUnavailable' })
    await metadata.close()
    const left = statSync(wal)
    expect(left.size).toBeGreaterThan(0)
    const again = await openStore({ directory })
    expect(statSync(wal).ino).not.toBe(left.ino)
    expect(existsSync(join(directory, 'fenced'))).toBe(false)
    expect(await again.read(item('a'))).toMatchObject({ name: 'a' })
    expect(await commit(again, 'put', { name: 'c' })).toBeGreaterThan(1)
    expect(again.status().state).toBe('open')
  })

  it('is not taken for success when somebody removed the -wal', async () => {
    const directory = await temporaryFolder()
    const metadata = await openStore({ directory })
    unlinkSync(join(directory, 'metadata.db-wal'))
    await expect(commit(metadata, 'put', { name: 'a' })).rejects.toMatchObject({ message: expect.stringContaining('removed') })
    expect(metadata.status().state).toBe('fenced')
  })

  it('at the start refuses to open', async () => {
    const io = new TestDisk()
    io.failure = ioError()
    await expect(openStore({ io })).rejects.toThrow('EIO')
  })
})

describe('a disk fault inside a batch', () => {
  it('keeps nothing of the batch and ends all writing', async () => {
    const metadata = await openStore()
    await commit(metadata, 'put', { name: 'durable' })
    const results = await Promise.allSettled([
      commit(metadata, 'put', { name: 'same batch' }),
      commit(metadata, 'diskFault', { code: 'SQLITE_IOERR_WRITE' }),
      commit(metadata, 'put', { name: 'behind' }),
    ])
    expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(Array(3).fill('ServiceUnavailable'))
    expect(metadata.status()).toMatchObject({ state: 'fenced', committedSeq: 1, durableSeq: 1 })
    expect(await metadata.read(allNames)).toEqual(['durable'])
  })

  it('in a checkpoint ends all writing too', async () => {
    const io = new TestDisk()
    io.checkpoints = () => ({
      run: () => Promise.reject(new CheckpointFailed({ code: 'SQLITE_IOERR_FSYNC', message: 'disk I/O error' })),
      close: () => Promise.resolve(),
    })
    const metadata = await openStore({ io })
    const padding = 'x'.repeat(100_000)
    for (let index = 0; index < 200 && metadata.status().state === 'open'; index++) {
      await commit(metadata, 'put', { name: `item-${index}`, padding }).catch(() => undefined)
    }
    await eventually(() => metadata.status().state === 'fenced')
    expect(await metadata.read(item('item-0'))).toMatchObject({ name: 'item-0' })
  })
})

describe('a full disk', () => {
  it('leaves the reserve to what frees space, and takes all again when there is room', async () => {
    const io = new TestDisk()
    let nowMs = 1_000
    const metadata = await openStore({ io, reserveBytes: 64 * mib, clock: { nowMs: () => nowMs } })
    await commit(metadata, 'put', { name: 'a' })
    io.free = 64 * mib
    nowMs += 250
    await expect(commit(metadata, 'put', { name: 'b' })).rejects.toMatchObject({ code: 'ServiceUnavailable', message: /disk is full/ })
    expect(metadata.status()).toMatchObject({ state: 'full', reason: expect.any(String) })
    expect(await commit(metadata, 'remove', { name: 'a' })).toBe(1)
    io.free = 65 * mib
    nowMs += 250
    await commit(metadata, 'put', { name: 'b' })
    expect(metadata.status().state).toBe('open')
    expect(await metadata.read(allNames)).toEqual(['b'])
  })

  it('found by a write fails its batch only', async () => {
    const io = new TestDisk()
    let nowMs = 1_000
    const metadata = await openStore({ io, clock: { nowMs: () => nowMs } })
    await commit(metadata, 'put', { name: 'kept' })
    await commit(metadata, 'limitPages', { pages: 1 })
    await expect(commit(metadata, 'put', { name: 'large', padding: 'x'.repeat(100_000) })).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      message: /disk is full/,
    })
    expect(metadata.status()).toMatchObject({ state: 'full', committedSeq: 1 })
    expect(await metadata.read(allNames)).toEqual(['kept'])
    await commit(metadata, 'limitPages', { pages: 1_000_000 })
    nowMs += 250
    await commit(metadata, 'put', { name: 'large', padding: 'x'.repeat(100_000) })
    expect(await metadata.read(allNames)).toEqual(['kept', 'large'])
  })
})
