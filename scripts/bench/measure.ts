/** One case for one round: so many workers that each begin the next operation when the last is answered. */
import type { Case } from './cases.ts'
import { cpuMs, peakRssBytes, resetPeakRss } from './process-tree.ts'
import { median, quantile } from './statistics.ts'
import type { Target } from './target.ts'

export interface Sample {
  readonly operations: number
  readonly elapsedMs: number
  readonly operationsPerSecond: number
  readonly mibPerSecond: number | undefined
  readonly p50Ms: number
  readonly p99Ms: number
  readonly serverCpuUsPerOperation: number | undefined
  readonly clientCpuUsPerOperation: number
  /** How many cores the load generator kept busy. At 1 it is itself what limits. */
  readonly clientCores: number
  readonly serverPeakRssBytes: number | undefined
}

const mib = 1024 * 1024

/** @throws Error when an answer was wrong */
export async function measure(one: Case, target: Target, roundMs: number): Promise<Sample> {
  await one.prepare?.(target, roundMs)
  const { pid } = target
  if (pid !== undefined) resetPeakRss(pid)
  const serverBefore = pid === undefined ? undefined : cpuMs(pid)
  const clientBefore = process.cpuUsage()
  const begin = performance.now()
  const latencies = await runWorkers(one, target, begin + roundMs)
  const elapsedMs = performance.now() - begin
  const client = process.cpuUsage(clientBefore)
  const serverAfter = pid === undefined ? undefined : cpuMs(pid)
  const operations = latencies.length
  const operationsPerSecond = (1000 * operations) / elapsedMs
  return {
    operations,
    elapsedMs,
    operationsPerSecond,
    mibPerSecond: one.bytesPerOperation === undefined ? undefined : (operationsPerSecond * one.bytesPerOperation) / mib,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    serverCpuUsPerOperation:
      serverBefore === undefined || serverAfter === undefined ? undefined : (1000 * (serverAfter - serverBefore)) / operations,
    clientCpuUsPerOperation: (client.user + client.system) / operations,
    clientCores: (client.user + client.system) / 1000 / elapsedMs,
    serverPeakRssBytes: pid === undefined ? undefined : peakRssBytes(pid),
  }
}

/** @returns milliseconds of each operation, ascending */
async function runWorkers({ concurrency, run }: Case, target: Target, until: number): Promise<Float64Array> {
  const latencies: number[] = []
  const worker = async (number: number): Promise<void> => {
    let now = performance.now()
    do {
      const from = now
      const isDone = await run(target, number)
      now = performance.now()
      if (!isDone) return
      latencies.push(now - from)
    } while (now < until)
  }
  await Promise.all(Array.from({ length: concurrency }, (_, number) => worker(number)))
  return Float64Array.from(latencies).sort()
}

/** Figure by figure the median of the rounds. */
export function medianOf(samples: readonly Sample[]): Sample {
  const of = (figure: (sample: Sample) => number): number => median(samples.map(figure))
  const ofSome = (figure: (sample: Sample) => number | undefined): number | undefined => {
    const known = samples.map(figure).filter((value) => value !== undefined)
    return known.length === 0 ? undefined : median(known)
  }
  return {
    operations: of((sample) => sample.operations),
    elapsedMs: of((sample) => sample.elapsedMs),
    operationsPerSecond: of((sample) => sample.operationsPerSecond),
    mibPerSecond: ofSome((sample) => sample.mibPerSecond),
    p50Ms: of((sample) => sample.p50Ms),
    p99Ms: of((sample) => sample.p99Ms),
    serverCpuUsPerOperation: ofSome((sample) => sample.serverCpuUsPerOperation),
    clientCpuUsPerOperation: of((sample) => sample.clientCpuUsPerOperation),
    clientCores: of((sample) => sample.clientCores),
    serverPeakRssBytes: ofSome((sample) => sample.serverPeakRssBytes),
  }
}
