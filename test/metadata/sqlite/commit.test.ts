import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { allNames, commit, eventually, isSettled, item, openStore, TestDisk, temporaryFolder } from './store.ts'

describe('group commit', () => {
  it('answers only after a sync that began after the commit', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    io.hold()
    const first = commit(metadata, 'put', { name: 'a' })
    await eventually(() => io.held === 1)
    const others = Array.from({ length: 40 }, (_, index) => commit(metadata, 'put', { name: `b${index}` }))
    const [second] = others
    await eventually(() => metadata.status().committedSeq > 1) // committed while the first sync runs
    io.releaseOne()
    await first
    await eventually(() => io.held === 1)
    expect(await isSettled(Promise.race([second]))).toBe(false)
    expect(metadata.status().durableSeq).toBe(1)
    io.release()
    await Promise.all(others)
    expect(metadata.status().durableSeq).toBe(41)
  })

  it('covers a thousand commands of one moment with few syncs', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    const before = io.syncs
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => commit(metadata, 'put', { name: `item-${index}` })))
    expect(io.syncs - before).toBeLessThan(50)
    expect(await metadata.read(allNames)).toHaveLength(1_000)
  })

  it('commits in the order of the calls', async () => {
    const metadata = await openStore()
    const seqs = await Promise.all(Array.from({ length: 600 }, (_, index) => commit(metadata, 'put', { name: `item-${index}` })))
    expect(seqs).toEqual(Array.from({ length: 600 }, (_, index) => index + 1))
  })

  it('rejects a refused command with its very error and keeps nothing of it, and all of its neighbours', async () => {
    const metadata = await openStore()
    const results = await Promise.allSettled([
      commit(metadata, 'put', { name: 'before' }),
      commit(metadata, 'putThenRefuse', { name: 'refused' }),
      commit(metadata, 'putNew', { name: 'before' }),
      commit(metadata, 'put', { name: 'after' }),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { code: 'PreconditionFailed', status: 412 } })
    expect(results[2]).toMatchObject({ reason: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' } })
    expect(await metadata.read(allNames)).toEqual(['after', 'before'])
    expect(metadata.status().committedSeq).toBe(2)
  })

  it.each([
    { what: 'takes long', count: 200, paddingBytes: 100_000 },
    { what: 'is full', count: 700, paddingBytes: 1 },
  ])('answers each command of a batch that $what and has to be begun anew', async ({ count, paddingBytes }) => {
    const metadata = await openStore()
    const padding = 'x'.repeat(paddingBytes)
    const names = Array.from({ length: count }, (_, index) => `item-${String(index).padStart(3, '0')}`)
    const answers = names.map((name, index) =>
      index % 5 === 4 ? commit(metadata, 'putThenRefuse', { name }) : commit(metadata, 'put', { name, padding }),
    )
    const statuses = (await Promise.allSettled(answers)).map(({ status }) => status)
    expect(statuses).toEqual(names.map((_, index) => (index % 5 === 4 ? 'rejected' : 'fulfilled')))
    expect(await metadata.read(allNames)).toEqual(names.filter((_, index) => index % 5 !== 4))
  })

  it('keeps a refusal back until what it rests on is durable', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    io.hold()
    const put = commit(metadata, 'put', { name: 'a' })
    const refused = commit(metadata, 'putNew', { name: 'a' })
    await eventually(() => io.held === 1)
    expect(await isSettled(refused)).toBe(false)
    io.release()
    await put
    await expect(refused).rejects.toThrow(/UNIQUE/)
  })

  it('takes no journal position and no sync for a command that changes nothing', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    await commit(metadata, 'put', { name: 'a' })
    const before = io.syncs
    expect(await commit(metadata, 'look', {})).toBe(1)
    expect(await commit(metadata, 'remove', { name: 'missing' })).toBe(0)
    expect(metadata.status().committedSeq).toBe(1)
    expect(io.syncs).toBe(before)
  })

  it('tells callers to slow down when more than 10,000 commands wait', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    const all = Array.from({ length: 10_001 }, (_, index) => commit(metadata, 'put', { name: `item-${index % 10}` }))
    const results = await Promise.allSettled(all)
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'SlowDown' } })
  })

  it('waits without blocking for a lock that another program holds', async () => {
    const directory = await temporaryFolder()
    const metadata = await openStore({ directory })
    const other = new Database(join(directory, 'metadata.db'))
    other.exec('BEGIN IMMEDIATE')
    const put = commit(metadata, 'put', { name: 'a' })
    expect(await isSettled(put)).toBe(false)
    other.exec('ROLLBACK')
    other.close()
    await put
    expect(await metadata.read(item('a'))).toMatchObject({ name: 'a', seq: 1 })
  })

  it('rejects a name that is no transaction', async () => {
    const metadata = await openStore()
    await expect(commit(metadata, 'constructor' as 'look', {})).rejects.toThrow('There is no transaction named constructor.')
  })
})

describe('close', () => {
  it('ends what was taken, then refuses', async () => {
    const directory = await temporaryFolder()
    const metadata = await openStore({ directory })
    const puts = Array.from({ length: 500 }, (_, index) => commit(metadata, 'put', { name: `item-${index}` }))
    const closed = metadata.close()
    await expect(commit(metadata, 'put', { name: 'late' })).rejects.toMatchObject({ code: 'ServiceUnavailable' })
    await closed
    await Promise.all(puts)
    await expect(metadata.read(allNames)).rejects.toMatchObject({ code: 'ServiceUnavailable' })
    expect(metadata.status().state).toBe('closed')
    const again = await openStore({ directory })
    expect(await again.read(allNames)).toHaveLength(500)
  })
})
