import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Steps, statement } from '../../../src/metadata/steps.ts'
import { allNames, commit, item, openStore, schema, temporaryFolder } from './store.ts'

describe('a start', () => {
  it('has a number one higher than the last, and goes on with the journal', async () => {
    const directory = await temporaryFolder()
    const first = await openStore({ directory })
    await commit(first, 'put', { name: 'a' })
    await commit(first, 'put', { name: 'b' })
    await first.close()
    const second = await openStore({ directory })
    expect([first.boot, second.boot]).toEqual([1, 2])
    expect(second.status()).toMatchObject({ state: 'open', committedSeq: 2, durableSeq: 2 })
    expect(await commit(second, 'put', { name: 'c' })).toBe(3)
  })

  it('applies the migrations that the file lacks, once', async () => {
    const directory = await temporaryFolder()
    const first = await openStore({ directory })
    await commit(first, 'put', { name: 'a' })
    await first.close()
    const newer = [...schema, { version: 5, sql: "ALTER TABLE notes ADD COLUMN text TEXT; UPDATE notes SET text = 'added'" }]
    for (let start = 0; start < 2; start++) {
      const metadata = await openStore({ directory, schema: newer })
      const rows = await metadata.read(function* (): Steps<unknown> {
        return yield statement('SELECT text FROM notes')
      })
      expect(rows).toEqual([{ text: 'added' }])
      expect(await metadata.read(item('a'))).toMatchObject({ seq: 1 })
      await metadata.close()
    }
    await expect(openStore({ directory })).rejects.toThrow('newer Farshore: its schema is 5, this one knows up to 1')
  })

  it('leaves nothing of a migration that fails', async () => {
    const directory = await temporaryFolder()
    const broken = [...schema, { version: 2, sql: 'CREATE TABLE more (a); CREATE TABLE more (a)' }]
    await expect(openStore({ directory, schema: broken })).rejects.toThrow(/already exists/)
    const repaired = [...schema, { version: 2, sql: 'CREATE TABLE more (a)' }]
    expect((await openStore({ directory, schema: repaired })).status().state).toBe('open')
  })
})

describe('kill -9 in the middle of commits', () => {
  it('loses nothing that was acknowledged', { timeout: 20_000 }, async () => {
    const directory = await temporaryFolder()
    const acknowledged = new Set<string>()
    const program = fileURLToPath(new URL('./writer-process.ts', import.meta.url))
    for (let round = 1; round <= 4; round++) {
      const child = spawn(process.execPath, [program, directory, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = once(child, 'exit')
      let lines = 0
      for await (const line of createInterface({ input: child.stdout })) {
        if (!line.endsWith('.')) continue // cut off by the kill
        acknowledged.add(line.slice(0, -1))
        lines += 1
        if (lines === round * 300) child.kill('SIGKILL')
      }
      expect(await exited).toEqual([null, 'SIGKILL'])
      expect(lines).toBeGreaterThanOrEqual(round * 300)
    }
    expect(statSync(join(directory, 'metadata.db-wal')).size).toBeGreaterThan(0)
    const metadata = await openStore({ directory })
    const stored = new Set(await metadata.read(allNames))
    expect([...acknowledged].filter((name) => !stored.has(name))).toEqual([])
    expect(metadata.boot).toBe(5)
    const newest = await metadata.read(function* (): Steps<unknown> {
      return (yield statement('SELECT max(seq) AS seq FROM items'))[0]?.seq
    })
    expect(metadata.status().committedSeq).toBe(newest)
  })
})
