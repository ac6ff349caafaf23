/** The result as a table for people and as JSON for everything else. */
import { cpus, loadavg, totalmem } from 'node:os'
import type { Case } from './cases.ts'
import { type CeilingName, type Ceilings, ceilingLabels } from './ceilings.ts'
import { medianOf, type Sample } from './measure.ts'
import { median } from './statistics.ts'

export interface Round {
  readonly server: Sample
  readonly against: Sample | undefined
  readonly bare: Sample
}

export interface CaseResult extends Round {
  readonly name: string
  readonly ceiling: CeilingName | undefined
  /** Server CPU an operation, as a share of what the other commit needed in the same round: the median of the rounds. */
  readonly cpuRatio: number | undefined
  readonly rounds: readonly Round[]
}

export interface Report {
  readonly at: string
  readonly endpoint: string
  readonly against: string | undefined
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number; readonly memoryBytes: number }
  readonly load: { readonly before: readonly number[]; readonly after: readonly number[] }
  readonly rounds: number
  readonly roundMs: number
  /** From the start of the process to its first answer. */
  readonly startMs: number | undefined
  /** Resident after all cases. */
  readonly rssAfterBytes: number | undefined
  readonly ceilings: Ceilings
  readonly cases: readonly CaseResult[]
  readonly readBack: number
}

const mib = 1024 * 1024
/** From here on the load generator itself may be what limits. */
const clientCoresSuspect = 0.8

export function machine(): Report['machine'] {
  const all = cpus()
  return { node: process.versions.node, cpu: all[0]?.model ?? 'unknown', cores: all.length, memoryBytes: totalmem() }
}

export function loadNow(): readonly number[] {
  return loadavg()
}

export function loadText(load: readonly number[]): string {
  return load.map((value) => value.toFixed(2)).join(' ')
}

export function caseResult({ name, ceiling }: Case, rounds: readonly Round[]): CaseResult {
  const compared = rounds.flatMap(({ against }) => against ?? [])
  const ratios = rounds.flatMap(({ server, against }) => ratioOf(server.serverCpuUsPerOperation, against?.serverCpuUsPerOperation) ?? [])
  return {
    name,
    ceiling,
    server: medianOf(rounds.map(({ server }) => server)),
    against: compared.length === 0 ? undefined : medianOf(compared),
    bare: medianOf(rounds.map(({ bare }) => bare)),
    cpuRatio: ratios.length === 0 ? undefined : median(ratios),
    rounds,
  }
}

function ratioOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b
}

export function tableText(report: Report): string {
  const { cases, ceilings, load, startMs, rssAfterBytes } = report
  const head = ['', 'rate', 'of ceiling', 'p50 ms', 'p99 ms', 'CPU/op', 'peak RSS', 'client CPU/op', 'client', 'bare rate', 'bare CPU/op']
  const compared = ['against rate', 'against CPU/op', 'CPU ratio']
  const rows = cases.map((one) => [...rowOf(one, ceilings), ...(report.against === undefined ? [] : comparedRow(one))])
  const names = Object.keys(ceilings) as CeilingName[] // its own keys
  const notes = [
    `ceilings: ${names.map((name) => `${ceilings[name].toFixed(0)} ${ceilingLabels[name]}`).join(', ')}`,
    `bare: a node:http server that answers the same sizes and does nothing else`,
    `client: share of one core that the load generator used; ! says that it may be what limits`,
    ...(startMs === undefined ? [] : [`start to first answer ${startMs.toFixed(0)} ms`]),
    ...(rssAfterBytes === undefined ? [] : [`memory after all ${mibText(rssAfterBytes)}`]),
    `load average before ${loadText(load.before)}, after ${loadText(load.after)}`,
  ]
  return `${columns([report.against === undefined ? head : [...head, ...compared], ...rows])}\n${notes.join('\n')}\n`
}

function rowOf({ name, ceiling, server, bare }: CaseResult, ceilings: Ceilings): string[] {
  return [
    name,
    rateText(server),
    ceiling === undefined ? '-' : `${((100 * (server.mibPerSecond ?? server.operationsPerSecond)) / ceilings[ceiling]).toFixed(0)} %`,
    server.p50Ms.toFixed(2),
    server.p99Ms.toFixed(2),
    cpuText(server.serverCpuUsPerOperation),
    server.serverPeakRssBytes === undefined ? '-' : mibText(server.serverPeakRssBytes),
    cpuText(server.clientCpuUsPerOperation),
    `${(100 * server.clientCores).toFixed(0)} %${server.clientCores > clientCoresSuspect ? ' !' : ''}`,
    rateText(bare),
    cpuText(bare.serverCpuUsPerOperation),
  ]
}

function comparedRow({ against, cpuRatio }: CaseResult): string[] {
  if (against === undefined) return []
  return [rateText(against), cpuText(against.serverCpuUsPerOperation), cpuRatio === undefined ? '-' : cpuRatio.toFixed(3)]
}

function mibText(bytes: number): string {
  return `${(bytes / mib).toFixed(0)} MiB`
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
  return `${rows.map(line).join('\n')}\n`
}

function rateText({ operationsPerSecond, mibPerSecond }: Sample): string {
  return mibPerSecond === undefined ? `${operationsPerSecond.toFixed(0)} op/s` : `${mibPerSecond.toFixed(0)} MiB/s`
}

function cpuText(us: number | undefined): string {
  if (us === undefined) return '-'
  return us < 10_000 ? `${us.toFixed(0)} us` : `${(us / 1000).toFixed(1)} ms`
}
