/** The result as a table for people and as JSON for everything else. */
import { cpus, loadavg, totalmem } from 'node:os'
import type { Ceilings } from './ceilings.ts'
import type { Sample } from './measure.ts'

export interface CaseResult {
  readonly name: string
  readonly server: Sample
  readonly bare: Sample
  readonly rounds: readonly { readonly server: Sample; readonly bare: Sample }[]
}

export interface Report {
  readonly at: string
  readonly endpoint: string
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number; readonly memoryBytes: number }
  readonly load: { readonly before: readonly number[]; readonly after: readonly number[] }
  readonly rounds: number
  readonly roundMs: number
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

export function tableText({ cases, ceilings, load }: Report): string {
  const head = ['', 'rate', 'p50 ms', 'p99 ms', 'CPU/op', 'peak RSS', 'client CPU/op', 'client', 'bare rate', 'bare CPU/op']
  const rows = cases.map(({ name, server, bare }) => [
    name,
    rateText(server),
    server.p50Ms.toFixed(2),
    server.p99Ms.toFixed(2),
    cpuText(server.serverCpuUsPerOperation),
    server.serverPeakRssBytes === undefined ? '-' : `${(server.serverPeakRssBytes / mib).toFixed(0)} MiB`,
    cpuText(server.clientCpuUsPerOperation),
    `${(100 * server.clientCores).toFixed(0)} %${server.clientCores > clientCoresSuspect ? ' !' : ''}`,
    rateText(bare),
    cpuText(bare.serverCpuUsPerOperation),
  ])
  const notes = [
    `ceilings: ${ceilings.fdatasyncPerSecond.toFixed(0)} fdatasync/s, ${ceilings.sequentialWriteMibPerSecond.toFixed(0)} MiB/s written, ` +
      `MD5 ${ceilings.md5MibPerSecond.toFixed(0)} MiB/s, SHA-256 ${ceilings.sha256MibPerSecond.toFixed(0)} MiB/s`,
    `bare: a node:http server that answers the same sizes and does nothing else`,
    `client: share of one core that the load generator used; ! says that it may be what limits`,
    `load average before ${loadText(load.before)}, after ${loadText(load.after)}`,
  ]
  return `${columns([head, ...rows])}\n${notes.join('\n')}\n`
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
