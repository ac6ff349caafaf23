/** `kill -9` in the middle of compaction loses nothing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { bytesFor, drain, openSpace, ownFolder, segmentLimitBytes, standingBucket } from './space.ts'

const writer = fileURLToPath(new URL('./compaction-writer.ts', import.meta.url))
const kills = 4
const movedAtLeast = 150_000
const valueBytes = 12 * 1024

interface Known {
  settled: string
  readonly pending: Set<string>
}

it('holds every acknowledged object after kills while segments are emptied, and gives their space back afterwards', {
  timeout: 60_000,
}, async () => {
  const folder = await ownFolder()
  const first = await openSpace({ folder })
  await first.bucket('killed')
  await first.close()
  const known = new Map<string, Known>()
  let movedInAll = 0
  for (let kill = 0; kill < kills; kill++) {
    movedInAll += await runAndKill(folder, { round: kill, untilMovedBytes: movedAtLeast + kill * 100_000, known })
    const space = await openSpace({ folder })
    const bucket = await standingBucket(space.metadata, 'killed')
    for (const [key, { settled, pending }] of known) {
      const bytes = await space.get(bucket, key)
      const fitting = [settled, ...pending].find((value) => bytes.equals(bytesFor(value, valueBytes)))
      expect(fitting, `${key} after kill ${kill}`).toBeDefined()
      known.set(key, { settled: fitting ?? '', pending: new Set() })
    }
    if (kill === kills - 1) {
      await drain(space.reclaim, space.compaction)
      const segments = await space.blobs.segments()
      const bytes = segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
      expect(bytes).toBeLessThan(2 * known.size * valueBytes + 2 * segmentLimitBytes)
    }
    await space.close()
  }
  // Kills that met no compaction would prove nothing.
  expect(movedInAll).toBeGreaterThan(kills * movedAtLeast)
})

/** @returns bytes that compaction had moved when it was killed */
async function runAndKill(
  folder: string,
  of: { readonly round: number; readonly untilMovedBytes: number; readonly known: Map<string, Known> },
): Promise<number> {
  const child = spawn(process.execPath, [writer, folder, String(of.round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  let moved = 0
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [what, key = '', value = '', movedBytes] = line.split(' ')
      const state = of.known.get(key) ?? { settled: '', pending: new Set<string>() }
      of.known.set(key, state)
      if (what === 'begin') state.pending.add(value)
      else {
        state.settled = value
        moved = Number(movedBytes)
      }
    }
    if (moved >= of.untilMovedBytes) child.kill('SIGKILL')
  })
  await exit
  expect(child.signalCode).toBe('SIGKILL')
  return moved
}
