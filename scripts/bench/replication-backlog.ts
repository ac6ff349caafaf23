/**
 * How fast a backlog drains that a region left behind which was away:
 * node scripts/bench/replication-backlog.ts [--objects 10000] [--bytes 4096] [--standing N] [--json FILE]
 * `--standing`: versions that stand in the source bucket already, written as rows while it is down; with it the source is started anew as well.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { clientsFor } from '../demo/clients.ts'
import { startRegions } from '../demo/regions.ts'
import { setUpReplication } from '../demo/replication.ts'
import { fill } from '../growth/fill.ts'

const { values: options } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    bytes: { type: 'string', default: '4096' },
    standing: { type: 'string', default: '0' },
    port: { type: 'string', default: '24000' },
    json: { type: 'string' },
  },
})
const objects = Number(options.objects)
const standing = Number(options.standing)
// Of chance, so that nothing on the way can make it smaller.
const body = randomBytes(Number(options.bytes))
const farshore = new URL('../../bin/farshore.js', import.meta.url).pathname

const data = await mkdtemp(join(tmpdir(), 'farshore-backlog-'))
const regions = await startRegions({ data, port: options.port, more: ['--no-restart'] })
try {
  const clients = clientsFor(regions)
  const pair = await setUpReplication(clients)
  process.kill(regions.list[1].pid, 'SIGKILL')
  const loadBefore = loadavg()[0] ?? 0
  await writeAll(async (n) => {
    await clients.source.send(new PutObjectCommand({ Bucket: pair.source, Key: `object-${String(n).padStart(8, '0')}`, Body: body }))
  })
  const source = standing > 0 ? await fillAndStartAnew(pair.source) : undefined
  const began = performance.now()
  const child = await serve(regions.list[1].region)
  const backMs = performance.now() - began
  let firstMs: number | undefined
  let count = 0
  while (count < objects) {
    count = await countKeys()
    if (count > 0) firstMs ??= performance.now() - began
  }
  const drainedMs = performance.now() - began
  const result = {
    objects,
    standing,
    bytes: body.length,
    perSecond: Math.round(objects / ((drainedMs - backMs) / 1000)),
    regionBackMs: Math.round(backMs),
    firstSeenMs: Math.round(firstMs ?? 0),
    drainedMs: Math.round(drainedMs),
    loadBefore,
    loadAfter: loadavg()[0] ?? 0,
  }
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result)}\n`)
  for (const region of [child, source]) {
    if (region === undefined) continue
    region.kill('SIGTERM')
    await once(region, 'exit')
  }

  async function fillAndStartAnew(bucketName: string): Promise<ChildProcess> {
    const [{ pid, region }] = regions.list
    process.kill(pid, 'SIGTERM')
    await gone(pid)
    await fill(data, { bucketName, template: 'object-00000000', fillings: standingRows(standing) })
    return await serve(region)
  }

  async function countKeys(): Promise<number> {
    let found = 0
    let ContinuationToken: string | undefined
    do {
      const page = await clients.destination
        .send(new ListObjectsV2Command({ Bucket: pair.destination, ContinuationToken }))
        .catch(() => undefined)
      found += page?.KeyCount ?? 0
      ContinuationToken = page?.NextContinuationToken
    } while (ContinuationToken !== undefined)
    return found
  }
} finally {
  await regions.stop()
  await rm(data, { recursive: true, force: true })
}

/** Resolves when it has said that it listens. */
async function serve(region: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [farshore, 'server', '--config', join(data, region, 'config.yaml')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(createInterface(child.stdout), 'line')
  return child
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await sleep(20)
  }
}

function* standingRows(count: number): Iterable<{ readonly key: string; readonly isLatest: boolean }> {
  for (let number = 0; number < count; number++) yield { key: `standing-${String(number).padStart(8, '0')}`, isLatest: true }
}

async function writeAll(write: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      while (next < objects) await write(next++)
    }),
  )
}
