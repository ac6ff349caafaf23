/** What a tier costs: `node test/tiers/measure.ts [MiB]`. A folder below the system's temporary one, and a bucket of a region of another process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTiers } from '../../src/tiers/open-tiers.ts'
import type { TierStore, Tiers } from '../../src/tiers/store.ts'
import { Client, createBucket } from '../limits/client.ts'
import { startRegion } from '../limits/region.ts'
import { accessKeyId, regionName, secretAccessKey } from '../limits/signer.ts'
import { randomBytes } from './bytes.ts'

const mib = 1024 * 1024
const lengthBytes = Number(process.argv[2] ?? 256) * mib
const signal = new AbortController().signal

const folder = await mkdtemp(join(tmpdir(), 'farshore-measure-'))
const region = await startRegion({ folder })
const client = new Client(region.port)
await createBucket(client, 'vault')
const endpoint = `http://127.0.0.1:${region.port}`
const bucket = { endpoint, region: regionName, name: 'vault', prefix: '', accessKeyId, secretAccessKey }
const tiers = await openTiers(
  {
    region: 'measure',
    dataDirectory: folder,
    reserveBytes: mib,
    tiers: [
      { name: 'slow', classes: [], folder: join(folder, 'slow') },
      { name: 'vault', classes: [], bucket },
    ],
  },
  { boot: 1, log: { warn: (_, message) => say(message), info: () => {} } },
)
const contents = { 'does not compress': [randomBytes(8 * mib)], 'lines of a log': [logLines(8 * mib)] }
for (const name of ['slow', 'vault']) {
  for (const [what, pieces] of Object.entries(contents)) {
    for (const encrypt of [false, true]) await measure(tiers, { name, what: `${what}${encrypt ? ', encrypted' : ''}`, pieces, encrypt })
  }
}
await tiers.close()
await client.close()
await region.stop()
await rm(folder, { recursive: true, force: true })

async function measure(
  { all, newRef }: Tiers,
  { name, what, pieces, encrypt }: { name: string; what: string; pieces: readonly Buffer[]; encrypt: boolean },
): Promise<void> {
  const tier = all.find((one) => one.name === name) as TierStore // one of the two above
  const ref = newRef(tier)
  const write = await timed(() => tier.write(source(pieces), { ref, lengthBytes, encrypt, signal }))
  const read = await timed(async () => {
    for await (const _piece of tier.read(ref, { lengthBytes, dataKey: write.result.dataKey, signal }));
  })
  const share = (write.result.storedBytes / lengthBytes).toFixed(2)
  say(`| ${tier.status().kind} | ${what} | ${share} | ${write.said} | ${read.said} |`)
  await tier.remove(ref, signal)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly said: string }> {
  const before = process.cpuUsage()
  const beganMs = performance.now()
  const result = await work()
  const seconds = (performance.now() - beganMs) / 1000
  const { user, system } = process.cpuUsage(before)
  const gib = lengthBytes / 1024 ** 3
  return { result, said: `${Math.round(lengthBytes / mib / seconds)} MiB/s, ${((user + system) / 1e6 / gib).toFixed(1)} s` }
}

async function* source(pieces: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  let left = lengthBytes
  while (left > 0) {
    for (const piece of pieces) {
      yield piece.subarray(0, left)
      left -= Math.min(left, piece.length)
    }
  }
}

function logLines(length: number): Buffer {
  const ids = randomBytes(length / 8).toString('hex')
  const lines: string[] = []
  for (let at = 0, total = 0; total < length; at += 16) {
    const line = `{"level":"info","time":${1_700_000_000_000 + at * 7},"requestId":"${ids.slice(at, at + 16)}","method":"GET","status":200,"bytes":${at % 9973}}\n`
    lines.push(line)
    total += line.length
  }
  return Buffer.from(lines.join('')).subarray(0, length)
}
