/** `kill -9` in the middle of passes: nothing goes that should stay, nothing is done twice, and in the end everything is gone that is due. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import { type Row, type Steps, statement } from '../../src/metadata/steps.ts'
import type { Delivery } from '../../src/metadata/tables/deliveries.ts'
import { rulesOf } from '../metadata/behaviour/aging.ts'
import { openSpace } from './aging-space.ts'

const child = fileURLToPath(new URL('./killed-region.ts', import.meta.url))
const kills = 30
const dayMs = 24 * 3600 * 1000
const bucketId = 'aging'
/** Keys below each prefix, and versions of each key. */
const keysOf = { 'gone/': 2400, 'expired/': 1000, 'kept/': 300, 'held/': 100 } as const
const versionsAKey = 3
const rules = rulesOf(
  { Filter: { Prefix: 'gone/' }, NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
  { Filter: { Prefix: 'held/' }, NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
  { Filter: { Prefix: 'expired/' }, Expiration: { Days: 1 } },
)

it('survives kills at any moment of a pass', { timeout: 240_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'farshore-lifecycle-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await fill(folder)
  const all = Object.values(keysOf).reduce((sum, keys) => sum + keys * versionsAKey, 0)
  let killed = 0
  let done = 0
  while (killed < kills) {
    const wasKilled = await runAndKill(folder, { afterSteps: Math.floor(Math.random() * 2), delayMs: Math.random() * 12 })
    if (!wasKilled) break
    killed += 1
    const now = await counted(folder)
    // What was freed is freed once, and with its version.
    expect(now.blobs + now.garbage).toBe(all)
    expect(now).toMatchObject({ kept: keysOf['kept/'] * versionsAKey, held: keysOf['held/'] * versionsAKey })
    expect(now.expiredObjects).toBe(keysOf['expired/'] * versionsAKey)
    expect(now.current).toBe(all / versionsAKey)
    expect(now.garbage + now.markers).toBeGreaterThanOrEqual(done)
    done = now.garbage + now.markers
  }
  // Kills that met no pass would prove nothing.
  expect(killed).toBe(kills)
  expect(await runAndKill(folder, undefined)).toBe(false)
  const end = await counted(folder)
  const removed = keysOf['gone/'] * (versionsAKey - 1)
  expect(end).toMatchObject({ garbage: removed, markers: keysOf['expired/'], again: keysOf['held/'] * (versionsAKey - 1) })
  // Counted with what was done, so that no kill comes between.
  expect(end.pass).toMatchObject({ removed, expired: keysOf['expired/'], freed_bytes: 3 * removed, ended_ms: expect.any(Number) })
})

async function fill(folder: string): Promise<void> {
  const { metadata } = await openSpace(folder)
  const bucket = { id: bucketId, name: 'aging-bucket', region: 'us-east-1', ownerId: 'owner', createdMs: 1 }
  const change = { kind: 'createBucket', bucket, settings: { lifecycle: rules } } as const
  await metadata.commit({ tx: 'appendControl', selfRegion: 'us-east-1', requestId: 'first', change })
  await metadata.commit({ tx: 'setVersioning', bucketId, versioning: 'Enabled' })
  const deliveries: Delivery[] = []
  for (let version = 0; version < versionsAKey; version++) {
    const lastModifiedMs = Date.now() - (10 - version) * dayMs
    const ids = new HybridClock({ clock: { nowMs: () => lastModifiedMs }, region: 'eu-west-1' })
    for (const [prefix, keys] of Object.entries(keysOf)) {
      for (let i = 0; i < keys; i++) deliveries.push(delivery(`${prefix}${i}`, { id: ids.issue(), lastModifiedMs }))
    }
  }
  for (let at = 0; at < deliveries.length; at += 64) {
    await metadata.commit({ tx: 'receiveVersions', deliveries: deliveries.slice(at, at + 64) })
  }
  await metadata.close()
}

function delivery(key: string, { id, lastModifiedMs }: { readonly id: string; readonly lastModifiedMs: number }): Delivery {
  return {
    sourceRegion: 'eu-west-1',
    sourceBucket: 'source',
    bucketId,
    key,
    id,
    lastModifiedMs,
    isDeleteMarker: false,
    size: 3,
    etag: 'e',
    storageClass: 'STANDARD',
    record: {
      ownerId: 'owner',
      system: { contentType: '' },
      user: [],
      tags: { stamp: id, value: [] },
      acl: { stamp: id, value: [] },
      ...(key.startsWith('held/') && { legalHold: { stamp: id, value: true } }),
    },
    content: { kind: 'blob', blob: `blob-${id}` },
  }
}

/** @returns whether it was killed before there was nothing left to do */
async function runAndKill(folder: string, when: { readonly afterSteps: number; readonly delayMs: number } | undefined): Promise<boolean> {
  const process_ = spawn(process.execPath, [child, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(process_, 'exit')
  let steps = 0
  createInterface(process_.stdout).on('line', (line) => {
    steps += line === 'step' ? 1 : 0
    if (when !== undefined && steps === when.afterSteps + 1) setTimeout(() => process_.kill('SIGKILL'), when.delayMs)
  })
  const [code, signal] = (await exit) as [number | null, string | null] // what node gives
  expect(code === 0 || signal === 'SIGKILL').toBe(true)
  return signal === 'SIGKILL'
}

async function counted(folder: string) {
  const { metadata } = await openSpace(folder)
  const count = (sql: string): Promise<number> =>
    metadata.read(() => rowsOf(`SELECT count(*) AS count FROM ${sql}`)).then(([row]) => Number(row?.['count']))
  const of = (prefix: string): Promise<number> => count(`versions WHERE is_marker = 0 AND key GLOB '${prefix}*'`)
  const found = {
    blobs: await count('versions WHERE blob IS NOT NULL'),
    garbage: await count('garbage'),
    kept: await of('kept/'),
    held: await of('held/'),
    expiredObjects: await of('expired/'),
    markers: await count('versions WHERE is_marker = 1'),
    current: await count('versions WHERE is_latest = 1'),
    again: await count('lifecycle_again WHERE reason IS NOT NULL'),
    pass: (await metadata.read(() => rowsOf('SELECT * FROM lifecycle_passes')))[0],
  }
  await metadata.close()
  return found
}

function* rowsOf(sql: string): Steps<readonly Row[]> {
  return yield statement(sql)
}
