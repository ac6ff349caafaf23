/**
 * The benchmark: PUT, GET, HEAD, LIST and DELETE against a region of our own or any S3 server, with the machine's ceilings in the
 * same run. What the figures mean stands in docs/performance.md.
 */
import { writeFile } from 'node:fs/promises'
import { type Case, cases } from './cases.ts'
import { measureCeilings } from './ceilings.ts'
import { measure, medianOf } from './measure.ts'
import { type BenchOptions, benchOptions, UsageError, usage } from './options.ts'
import { profileText } from './profile.ts'
import { type CaseResult, loadNow, loadText, machine, type Report, tableText } from './report.ts'
import { type RunningServer, startBareServer, startRegion } from './servers.ts'
import { makePayloads, openTarget, removeAll, seed, type Target, verifyWritten } from './target.ts'

try {
  process.exitCode = await main(benchOptions(process.argv.slice(2), process.env))
} catch (error) {
  const isUsage = error instanceof UsageError
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n${isUsage ? `${usage}\n` : ''}`)
  process.exitCode = isUsage ? 2 : 1
}

async function main(options: BenchOptions): Promise<number> {
  const chosen = cases.filter(({ name }) => options.only.test(name))
  if (chosen.length === 0) throw new UsageError(`--only ${options.only.source} fits none of: ${cases.map(({ name }) => name).join(', ')}.`)
  const report = await withServers(options, (servers) => run(options, chosen, servers))
  process.stdout.write(tableText(report))
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`)
  if (options.profile !== undefined) process.stdout.write(profileText(options.profile))
  return 0
}

interface Servers {
  readonly server: Omit<RunningServer, 'pid' | 'stop'> & { readonly pid: number | undefined; readonly isOurs: boolean }
  readonly bare: RunningServer
}

async function withServers(options: BenchOptions, work: (servers: Servers) => Promise<Report>): Promise<Report> {
  const bare = await startBareServer()
  try {
    const { endpoint } = options
    if (endpoint !== undefined) return await work({ bare, server: { ...endpoint, endpoint: endpoint.url, isOurs: false } })
    const ours = await startRegion({ parent: options.data, profile: options.profile })
    try {
      return await work({ bare, server: { ...ours, isOurs: true } })
    } finally {
      await ours.stop()
    }
  } finally {
    await bare.stop()
  }
}

async function run(options: BenchOptions, chosen: readonly Case[], { server, bare }: Servers): Promise<Report> {
  const before = loadNow()
  say(`${server.endpoint}, load average ${loadText(before)}`)
  const ceilings = measureCeilings(options.data, options.diskMiB)
  const common = { payloads: makePayloads(), seedObjects: options.seedObjects }
  const targets = { server: openTarget({ ...server, ...common }), bare: openTarget({ ...bare, ...common }) }
  try {
    await seed(targets.server, new Set(chosen.flatMap(({ needs }) => needs ?? [])), server.credentials.region)
    const results = await runRounds(options, chosen, targets)
    const readBack = await verifyWritten(targets.server)
    if (!server.isOurs) await removeAll(targets.server)
    return {
      at: new Date().toISOString(),
      endpoint: server.endpoint,
      machine: machine(),
      load: { before, after: loadNow() },
      rounds: options.rounds,
      roundMs: options.roundMs,
      ceilings,
      cases: results,
      readBack,
    }
  } finally {
    await Promise.all([targets.server.client.close(), targets.bare.client.close()])
  }
}

interface Targets {
  readonly server: Target
  readonly bare: Target
}

/** Rounds are interleaved, so that what else happens on the machine meets every case alike. */
async function runRounds(options: BenchOptions, chosen: readonly Case[], targets: Targets): Promise<CaseResult[]> {
  const { rounds, roundMs, warmUpMs } = options
  for (const one of chosen) await runBoth(one, targets, warmUpMs)
  const results = chosen.map((one) => ({ one, rounds: [] as CaseResult['rounds'][number][] }))
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}, load average ${loadText(loadNow())}`)
    for (const result of results) result.rounds.push(await runBoth(result.one, targets, roundMs))
  }
  return results.map((result) => ({
    name: result.one.name,
    server: medianOf(result.rounds.map((round) => round.server)),
    bare: medianOf(result.rounds.map((round) => round.bare)),
    rounds: result.rounds,
  }))
}

async function runBoth(one: Case, { server, bare }: Targets, roundMs: number): Promise<CaseResult['rounds'][number]> {
  return { server: await measure(one, server, roundMs), bare: await measure(one, bare, roundMs) }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
