import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/lib/clock.ts'
import type { Metadata } from '../../../src/metadata/engine.ts'
import { ThreadMetadata } from '../../../src/metadata/sqlite/thread-metadata.ts'
import type { Row, Steps } from '../../../src/metadata/steps.ts'
import { commit, eventually, isSettled, item, note, openStore, TestDisk, temporaryFolder } from './store.ts'

interface Asked {
  readonly ask: (name: string) => Promise<Row | undefined>
  readonly counted: { queries: number }
}

function asked(metadata: Metadata, query: (name: string) => () => Steps<Row | undefined> = item): Asked {
  const counted = { queries: 0 }
  const ask = metadata.remembered((name) => {
    counted.queries += 1
    return query(name)()
  })
  return { ask, counted }
}

describe('a remembered query', () => {
  it('is asked again after a change of a table that it read, and after no other', async () => {
    const metadata = await openStore()
    await commit(metadata, 'put', { name: 'a', value: 1 })
    const items = asked(metadata)
    const notes = asked(metadata, () => note)
    expect(await items.ask('a')).toMatchObject({ value: 1 })
    expect(await items.ask('missing')).toBeUndefined()
    expect(await notes.ask('')).toEqual({ name: 'first' })
    const before = { items: items.counted.queries, notes: notes.counted.queries }
    for (let again = 0; again < 5; again++) expect(await items.ask('a')).toMatchObject({ value: 1 })
    expect(items.counted.queries).toBe(before.items)

    await commit(metadata, 'put', { name: 'a', value: 2 })
    expect(await items.ask('a')).toMatchObject({ value: 2 })
    await commit(metadata, 'put', { name: 'missing', value: 3 })
    expect(await items.ask('missing')).toMatchObject({ value: 3 })
    await commit(metadata, 'remove', { name: 'a' })
    expect(await items.ask('a')).toBeUndefined()
    expect(await notes.ask('')).toEqual({ name: 'first' })
    expect(notes.counted.queries).toBe(before.notes)
  })

  it('keeps no failure', async () => {
    const metadata = await openStore()
    let failures = 1
    const ask = metadata.remembered(function* (name): Steps<Row | undefined> {
      const row = yield* item(name)()
      if (failures-- > 0) throw new Error('not this time')
      return row
    })
    await expect(ask('a')).rejects.toThrow('not this time')
    expect(await ask('a')).toBeUndefined()
  })

  it('shows nothing before it is durable, the first time and the next', async () => {
    const io = new TestDisk()
    const metadata = await openStore({ io })
    const { ask } = asked(metadata)
    expect(await ask('a')).toBeUndefined()
    io.hold()
    const put = commit(metadata, 'put', { name: 'a' })
    await eventually(() => io.held === 1)
    const [first, second] = [ask('a'), ask('a')]
    expect(await isSettled(Promise.race([first, second]))).toBe(false)
    io.release()
    await put
    expect(await first).toMatchObject({ name: 'a' })
    expect(await second).toMatchObject({ name: 'a' })
  })

  it('answers nobody any more when the store is closed', async () => {
    const metadata = await openStore()
    const { ask } = asked(metadata)
    await ask('a')
    await metadata.close()
    await expect(ask('a')).rejects.toMatchObject({ code: 'ServiceUnavailable' })
  })

  it('in another thread: an answer from between announcement and commit is not kept', async () => {
    const directory = await temporaryFolder()
    const metadata = await openStore({ directory })
    await commit(metadata, 'put', { name: 'a', value: 1 })
    const reader = new ThreadMetadata({
      directory,
      memory: metadata.journal.memory,
      boot: metadata.boot,
      reserveBytes: 0,
      clock: systemClock,
      commit: (command) => metadata.commit(command),
    })
    onTestFinished(() => reader.close())
    const { ask } = asked(reader)
    // What the committing thread does first; its COMMIT comes a moment later.
    const announced = metadata.journal.announced + 1
    metadata.journal.announce(new Map([['items', announced]]), announced)
    const early = ask('a')
    await commit(metadata, 'put', { name: 'a', value: 2 })
    expect(await early).toMatchObject({ value: 1 })
    expect(await ask('a')).toMatchObject({ value: 2 })
  })
})
