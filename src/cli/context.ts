/** What every command is given: the world around it, so that a test can give another. */
import type { Logger } from 'pino'
import type { Environment } from '../config/load.ts'
import type { Config } from '../config/schema.ts'

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** What was asked for is not in sync yet, e.g. replication that was waited for; or a check found something wrong. */
  notInSync: 3,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export interface RunningRegion {
  readonly s3Port: number
  readonly adminPort: number
  close(): Promise<void>
  /** Rejects when the region can not go on. */
  readonly failed: Promise<never>
}

export type StartRegion = (config: Config, deps: { readonly log: Logger }) => Promise<RunningRegion>

/** Where a region keeps everything. */
export interface CheckTarget {
  readonly dataDirectory: string
  /** Undefined: it is not there. */
  readonly masterKey: Buffer | undefined
}

/** What a check looked at, by name, and what it found. */
export interface RegionReport {
  readonly region: string
  readonly checked: Readonly<Record<CheckedName, number>>
  readonly findings: readonly Finding[]
  /** Findings beyond those that are listed. */
  readonly unlisted: number
}

export interface Finding {
  readonly kind: string
  readonly bucket: string | null
  readonly key: string | null
  readonly versionId: string | null
  readonly what: string
}

type CheckedName = 'buckets' | 'versions' | 'blobs' | 'bytes' | 'blobsInTiers' | 'bytesInTiers' | 'tasks' | 'orphanFiles' | 'orphanBytes'

export type CheckRegion = (target: CheckTarget, signal: AbortSignal) => Promise<RegionReport>

export interface CliContext {
  readonly environment: Environment
  /** Results, one line each; nothing else goes to stdout. */
  out(line: string): void
  /** Words for people, on stderr. */
  err(line: string): void
  /** The file that Node runs for another `farshore` process. */
  readonly entry: string
  readonly version: string
  readonly startRegion: StartRegion
  readonly checkRegion: CheckRegion
}

/** The command is not what it should be. Exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
