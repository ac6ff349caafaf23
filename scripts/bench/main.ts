/**
 * The benchmark: PUT, GET, HEAD, LIST and COPY, DELETE and multipart uploads against a region of our own or any S3 server, with the machine's ceilings in the
 * same run. What the figures mean stands in docs/performance.md.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Case, cases } from './cases.ts'
import { measureCeilings } from './ceilings.ts'
import { checkOut } from './checkout.ts'
import { measure, type Sample } from './measure.ts'
import { type BenchOptions, benchOptions, UsageError, usage } from './options.ts'
import { rssBytes } from './process-tree.ts'
import { profileText } from './profile.ts'
import { type CaseResult, caseResult, loadNow, loadText, machine, type Report, type Round, tableText } from './report.ts'
import { ownProgram, type RunningServer, startBareServer, startRegion } from './servers.ts'
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

type Measured = Omit<RunningServer, 'pid' | 'stop' | 'startMs'> & {
  readonly pid: number | undefined
  readonly startMs: number | undefined
}

interface Servers {
  readonly server: Measured
  readonly isOurs: boolean
  readonly against: RunningServer | undefined
  readonly bare: RunningServer
}

async function withServers(options: BenchOptions, work: (servers: Servers) => Promise<Report>): Promise<Report> {
  await using cleanup = new AsyncDisposableStack()
  const bare = await startBareServer()
  cleanup.defer(() => bare.stop())
  const { endpoint } = options
  if (endpoint !== undefined) {
    const server = { ...endpoint, endpoint: endpoint.url, startMs: undefined }
    return await work({ bare, server, isOurs: false, against: undefined })
  }
  const folder = await mkdtemp(join(options.data, 'farshore-bench-'))
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
  const server = await startRegion({ program: ownProgram, data: join(folder, 'data'), profile: options.profile })
  cleanup.defer(() => server.stop())
  if (options.against === undefined) return await work({ bare, server, isOurs: true, against: undefined })
  const { program, remove } = await checkOut(options.against)
  cleanup.defer(remove)
  const against = await startRegion({ program, data: join(folder, 'against') })
  cleanup.defer(() => against.stop())
  return await work({ bare, server, isOurs: true, against })
}

async function run(options: BenchOptions, chosen: readonly Case[], { server, isOurs, against, bare }: Servers): Promise<Report> {
  const before = loadNow()
  say(`${server.endpoint}, load average ${loadText(before)}`)
  const ceilings = await measureCeilings(options.data, options.diskMiB)
  const payloads = makePayloads()
  const targets: Targets = {
    server: openTarget({ ...server, payloads }),
    against: against === undefined ? undefined : openTarget({ ...against, payloads }),
    bare: openTarget({ ...bare, payloads }),
  }
  const needs = new Set(chosen.flatMap((one) => one.needs ?? []))
  try {
    await seed(targets.server, needs, server.credentials.region)
    if (targets.against !== undefined) await seed(targets.against, needs, server.credentials.region)
    const results = await runRounds(options, chosen, targets)
    const readBack = await verifyWritten(targets.server)
    if (!isOurs) await removeAll(targets.server)
    return {
      at: new Date().toISOString(),
      endpoint: server.endpoint,
      against: options.against,
      machine: machine(),
      load: { before, after: loadNow() },
      rounds: options.rounds,
      roundMs: options.roundMs,
      startMs: server.startMs,
      rssAfterBytes: server.pid === undefined ? undefined : rssBytes(server.pid),
      ceilings,
      cases: results,
      readBack,
    }
  } finally {
    await Promise.all([targets.server, targets.against, targets.bare].map((target) => target?.client.close()))
  }
}

interface Targets {
  readonly server: Target
  readonly against: Target | undefined
  readonly bare: Target
}

/** Rounds are interleaved, so that what else happens on the machine meets every case alike. */
async function runRounds(options: BenchOptions, chosen: readonly Case[], targets: Targets): Promise<CaseResult[]> {
  const { rounds, roundMs, warmUpMs } = options
  for (const one of chosen) await runAll(one, targets, { roundMs: warmUpMs, round: 0 })
  const results = chosen.map((one) => ({ one, rounds: [] as Round[] }))
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}, load average ${loadText(loadNow())}`)
    for (const result of results) result.rounds.push(await runAll(result.one, targets, { roundMs, round }))
  }
  return results.map(({ one, rounds: all }) => caseResult(one, all))
}

/** The two that are compared take turns in going first: what the machine did just before is never the same. */
async function runAll(one: Case, { server, against, bare }: Targets, { roundMs, round }: Turn): Promise<Round> {
  const measureAgainst = async (): Promise<Sample | undefined> => (against === undefined ? undefined : await measure(one, against, roundMs))
  const early = round % 2 === 0 ? await measureAgainst() : undefined
  const measured = await measure(one, server, roundMs)
  return { against: early ?? (await measureAgainst()), server: measured, bare: await measure(one, bare, roundMs / 4) }
}

interface Turn {
  readonly roundMs: number
  readonly round: number
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
