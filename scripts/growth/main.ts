/**
 * Whether a region stays as fast when it grows: the same questions to a bucket of many versions and to one of few, in turns, judged by
 * the server's CPU. `node scripts/growth/main.ts [--versions 10000000] [--few 100000] [--rounds 5] [--data DIR] [--json FILE]`
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { smallBytes } from '../bench/payload.ts'
import { rssBytes } from '../bench/process-tree.ts'
import { ownProgram, type RunningServer, region, startRegion } from '../bench/servers.ts'
import { median } from '../bench/statistics.ts'
import { storedBytes } from './disk.ts'
import { deep, fill, wide } from './fill.ts'
import {
  cost,
  deepBucket,
  deepProbes,
  type Grown,
  hotKey,
  makeBuckets,
  openClient,
  type Probe,
  putObjects,
  warmKey,
  wideBucket,
  wideProbes,
} from './probes.ts'

const { values } = parseArgs({
  options: {
    versions: { type: 'string', default: '10000000' },
    few: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    data: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
  },
})
const sizes = { many: Number(values.versions), few: Number(values.few) }
const rounds = Number(values.rounds)
const hotVersions = 100_000
const warmVersions = 10
const template = 'template'

/** The limits of the release: what a bucket's growth may cost. */
const ratioMax = 1.5
const startMaxMs = 2000
const memoryMaxBytes = 400 * 1024 ** 2
const diskObjects = 20_000
const diskMaxBytes = 1.15 * smallBytes + 250

interface Finding {
  readonly name: string
  readonly before: number
  readonly after: number
  readonly unit: string
  readonly isKept: boolean
}

await using cleanup = new AsyncDisposableStack()
const folder = await mkdtemp(join(values.data, 'farshore-growth-'))
cleanup.defer(() => rm(folder, { recursive: true, force: true }))
const findings: Finding[] = []
const loadBefore = loadavg()

findings.push(await diskFinding(join(folder, 'disk')))
const many = await grow(join(folder, 'many'), sizes.many)
const few = await grow(join(folder, 'few'), sizes.few)
findings.push({
  name: 'start to first answer',
  before: few.server.startMs,
  after: many.server.startMs,
  unit: 'ms',
  isKept: many.server.startMs < startMaxMs,
})
findings.push(...(await compare(wideProbes.map((probe) => ({ probe, before: [few, probe], after: [many, probe] })))))
const warm = deepProbes(warmKey)
findings.push(
  ...(await compare(
    deepProbes(hotKey).map((probe, i) => {
      const other = warm[i] ?? probe
      return { probe: { ...probe, name: `${probe.name}, key of ${hotVersions} versions` }, before: [many, other], after: [many, probe] }
    }),
  )),
)
const memory = { before: rssBytes(few.server.pid) ?? 0, after: rssBytes(many.server.pid) ?? 0 }
findings.push({ name: 'memory after all', ...memory, unit: 'bytes', isKept: memory.after < memoryMaxBytes })

process.stdout.write(tableText())
if (values.json !== undefined) {
  const report = { at: new Date().toISOString(), load: { before: loadBefore, after: loadavg() }, sizes, rounds, findings }
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
}
process.exitCode = findings.every(({ isKept }) => isKept) ? 0 : 1

/** A region whose bucket has that many versions, started. */
async function grow(data: string, versions: number): Promise<Grown> {
  say(`${versions} versions`)
  await withRegion(data, async (server) => {
    const client = openClient(server)
    await makeBuckets(client, template)
    await client.close()
  })
  const of = (bucket: string) => ({ bucketName: bucket.slice(1), template })
  await fill(data, { ...of(wideBucket), fillings: wide(versions) })
  await fill(data, { ...of(deepBucket), fillings: deep(hotKey, hotVersions) })
  await fill(data, { ...of(deepBucket), fillings: deep(warmKey, warmVersions) })
  const { size } = await stat(join(data, region, 'metadata', 'metadata.db'))
  say(`filled: ${(size / versions).toFixed(0)} bytes of metadata a version`)
  const server = await startRegion({ program: ownProgram, data })
  cleanup.defer(() => server.stop())
  const client = openClient(server)
  cleanup.defer(() => client.close())
  return { server, client, versions }
}

async function withRegion(data: string, work: (server: RunningServer) => Promise<void>): Promise<void> {
  const server = await startRegion({ program: ownProgram, data })
  try {
    await work(server)
  } finally {
    await server.stop()
  }
}

interface Comparison {
  readonly probe: Probe
  readonly before: readonly [Grown, Probe]
  readonly after: readonly [Grown, Probe]
}

/** In turns, after one round that warms up; the median of the rounds. */
async function compare(comparisons: readonly Comparison[]): Promise<Finding[]> {
  const found: Finding[] = []
  for (const { probe, before, after } of comparisons) {
    const costs: { readonly before: number; readonly after: number }[] = []
    for (let round = 0; round <= rounds; round++) {
      const pair = { before: await cost(before[1], before[0]), after: await cost(after[1], after[0]) }
      if (round > 0) costs.push(pair)
    }
    const medians = { before: median(costs.map((pair) => pair.before)), after: median(costs.map((pair) => pair.after)) }
    found.push({ name: probe.name, ...medians, unit: 'us CPU', isKept: medians.after <= ratioMax * medians.before })
    say(`${probe.name}: ${medians.before.toFixed(0)} and ${medians.after.toFixed(0)} us`)
  }
  return found
}

/** What small objects take on the disk, metadata included. */
async function diskFinding(data: string): Promise<Finding> {
  let before = 0
  await withRegion(data, async (server) => {
    const client = openClient(server)
    await makeBuckets(client, template)
    await client.close()
  })
  before = await storedBytes(data)
  await withRegion(data, async (server) => {
    const client = openClient(server)
    await putObjects(client, diskObjects)
    await client.close()
  })
  const perObject = ((await storedBytes(data)) - before) / diskObjects
  return { name: 'disk, an object of 4 KiB', before: smallBytes, after: perObject, unit: 'bytes', isKept: perObject <= diskMaxBytes }
}

function tableText(): string {
  const head = ['', `${sizes.few}`, `${sizes.many}`, 'ratio', '']
  const rows = findings.map(({ name, before, after, unit, isKept }) => [
    name,
    `${before.toFixed(0)} ${unit}`,
    `${after.toFixed(0)} ${unit}`,
    (after / before).toFixed(2),
    isKept ? 'kept' : 'MISSED',
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)))
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\nload average before ${loadBefore[0]?.toFixed(2)}, after ${loadavg()[0]?.toFixed(2)}\n`
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
