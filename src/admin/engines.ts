/** `engines`: what a region does beside requests, and what it runs on. */
import { statfs } from 'node:fs/promises'
import type { Engine } from '../lib/engine.ts'
import type { Metadata } from '../metadata/engine.ts'
import type { AdminRoute } from './admin-route.ts'

export interface EnginesParts {
  readonly region: string
  readonly engines: readonly Pick<Engine, 'name' | 'status'>[]
  readonly metadata: Pick<Metadata, 'status'>
  readonly dataDirectory: string
  /** Below so much free space new data is refused. */
  readonly reserveBytes: number
  readonly workers: number
  readonly startedMs: number
  readonly nowMs: () => number
}

export function enginesRoute(parts: EnginesParts): AdminRoute {
  return {
    method: 'GET',
    path: 'engines',
    async answer() {
      const { region, engines, metadata, dataDirectory, reserveBytes, workers, startedMs, nowMs } = parts
      const { bsize, blocks, bavail } = await statfs(dataDirectory)
      const { rss, heapUsed } = process.memoryUsage()
      const { state, reason } = metadata.status()
      return {
        region,
        startedAt: new Date(startedMs).toISOString(),
        uptimeMs: nowMs() - startedMs,
        threads: workers,
        // Of the whole process, all threads.
        memory: { residentBytes: rss, heapBytes: heapUsed },
        disk: { totalBytes: blocks * bsize, freeBytes: bavail * bsize, reserveBytes },
        store: { state, reason: reason ?? null },
        engines: engines.map((engine) => ({ name: engine.name, status: engine.status() })),
      }
    },
  }
}
