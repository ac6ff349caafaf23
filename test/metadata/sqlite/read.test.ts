import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/lib/clock.ts'
import { ThreadMetadata } from '../../../src/metadata/sqlite/thread-metadata.ts'
import { type Row, type Steps, statement } from '../../../src/metadata/steps.ts'
import { S3Error } from '../../../src/model/errors.ts'
import { allNames, commit, eventually, isSettled, item, note, openStore, TestDisk, temporaryFolder } from './store.ts'

describe('read', () => {
  it('shows no row before it is durable, and others at once', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    await commit(metadata, 'put', { name: 'old' })
    io.hold()
    const put = commit(metadata, 'put', { name: 'new' })
    await eventually(() => io.held === 1)
    const fresh = metadata.read(item('new'))
    const list = metadata.read(allNames)
    expect(await metadata.read(item('old'))).toMatchObject({ name: 'old' })
    expect(await metadata.read(note)).toEqual({ name: 'first' }) // a table that nobody changed
    expect(await isSettled(Promise.race([fresh, list]))).toBe(false)
    io.release()
    await put
    expect(await fresh).toMatchObject({ name: 'new', seq: 2 })
    expect(await list).toEqual(['new', 'old'])
  })

  it('tells of no absence before the removal is durable', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    await commit(metadata, 'put', { name: 'a' })
    io.hold()
    const removed = commit(metadata, 'remove', { name: 'a' })
    await eventually(() => io.held === 1)
    const absent = metadata.read(item('a'))
    expect(await isSettled(absent)).toBe(false)
    io.release()
    await removed
    expect(await absent).toBeUndefined()
  })

  it('keeps a refusal back until what it rests on is durable', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    io.hold()
    const put = commit(metadata, 'put', { name: 'a' })
    await eventually(() => io.held === 1)
    const refused = metadata.read(function* (): Steps<void> {
      const rows = yield statement('SELECT name FROM items')
      if (rows.length > 0) throw new S3Error('BucketNotEmpty')
    })
    expect(await isSettled(refused)).toBe(false)
    io.release()
    await put
    await expect(refused).rejects.toMatchObject({ code: 'BucketNotEmpty' })
  })

  it('sees one moment over all its statements', async () => {
    const metadata = await openStore()
    await commit(metadata, 'put', { name: 'from', value: 0 })
    await commit(metadata, 'put', { name: 'to', value: 0 })
    const moves: Promise<void>[] = []
    const sums: number[] = []
    for (let round = 0; round < 100; round++) {
      for (let count = 0; count < 5; count++) moves.push(commit(metadata, 'move', { from: 'from', to: 'to', by: 1 }))
      sums.push(
        await metadata.read(function* (): Steps<number> {
          const from = yield* item('from')()
          const to = yield* item('to')()
          return Number(from?.value) + Number(to?.value)
        }),
      )
    }
    await Promise.all(moves)
    expect(new Set(sums)).toEqual(new Set([0]))
    expect(await metadata.read(item('to'))).toMatchObject({ value: 500 })
  })

  it('sees one moment although somebody commits between its statements', async () => {
    const directory = await temporaryFolder()
    const metadata = await openStore({ directory })
    await commit(metadata, 'put', { name: 'a', value: 1 })
    await commit(metadata, 'put', { name: 'b', value: 1 })
    const { journal, boot } = metadata
    const reader = new ThreadMetadata({
      ...{ directory, memory: journal.memory, boot, reserveBytes: 0, clock: systemClock },
      commit: (command) => metadata.commit(command),
    })
    const other = new Database(join(directory, 'metadata.db'))
    onTestFinished(async () => {
      other.close()
      await reader.close()
    })
    for (let round = 0; round < 3; round++) {
      const seen = await reader.read(function* (): Steps<readonly unknown[]> {
        const a = yield* item('a')()
        // Each time that the query is begun.
        other.exec('UPDATE items SET value = value + 1')
        const b = yield* item('b')()
        return [a?.['value'], b?.['value']]
      })
      expect(seen[0]).toBe(seen[1])
    }
  })

  it('is answered although it begins with another statement when it is begun anew', async () => {
    const metadata = await openStore()
    let attempts = 0
    const answer = await metadata.read(function* (): Steps<number> {
      attempts += 1
      yield statement(attempts === 1 ? 'SELECT name FROM items' : 'SELECT value FROM items')
      yield* note()
      return attempts
    })
    expect(answer).toBe(2)
  })

  it('waits for what its first statement saw, the first time that it goes on to a second', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    io.hold()
    const put = commit(metadata, 'put', { name: 'a' })
    await eventually(() => io.held === 1)
    const both = metadata.read(function* (): Steps<readonly unknown[]> {
      const rows = yield* item('a')()
      return [rows?.['name'], (yield* note())?.['name']]
    })
    expect(await isSettled(both)).toBe(false)
    io.release()
    await put
    expect(await both).toEqual(['a', 'first'])
  })

  it('refuses to write, and reads on after that', async () => {
    const metadata = await openStore()
    const write = metadata.read(function* (): Steps<void> {
      yield statement("DELETE FROM notes WHERE name = 'first'")
    })
    await expect(write).rejects.toThrow(/may not write/)
    expect(await metadata.read(note)).toEqual({ name: 'first' })
  })

  it('takes a parameter several times and in any order', async () => {
    const metadata = await openStore()
    await commit(metadata, 'put', { name: 'b', value: 7 })
    const rows = await metadata.read(function* (): Steps<readonly Row[]> {
      return yield statement(
        "SELECT name, '?1 is text' AS text FROM items WHERE value = ?2 AND name = ?1 AND name >= ?1 ORDER BY name LIMIT ?3",
        'b',
        7,
        1,
      )
    })
    expect(rows).toEqual([{ name: 'b', text: '?1 is text' }])
  })
})

describe('waitBeyond', () => {
  it('resolves with the newest durable position, not before it is durable', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    await commit(metadata, 'put', { name: 'a' })
    const { signal } = new AbortController()
    expect(await metadata.waitBeyond(0, signal)).toBe(1)
    io.hold()
    const waited = metadata.waitBeyond(1, signal)
    const puts = [commit(metadata, 'put', { name: 'b' }), commit(metadata, 'put', { name: 'c' })]
    await eventually(() => io.held === 1)
    expect(await isSettled(waited)).toBe(false)
    io.release()
    expect(await waited).toBe(3)
    await Promise.all(puts)
  })

  it('rejects when its signal aborts, and at the close', async () => {
    const metadata = await openStore()
    const aborted = new AbortController()
    const first = metadata.waitBeyond(0, aborted.signal)
    const second = metadata.waitBeyond(0, new AbortController().signal)
    aborted.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    await Promise.all([expect(second).rejects.toMatchObject({ code: 'ServiceUnavailable' }), metadata.close()])
  })
})
