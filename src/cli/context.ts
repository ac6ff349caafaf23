/** What every command is given: the world around it, so that a test can give another. */
import type { Logger } from 'pino'
import type { Environment } from '../config/load.ts'
import type { Config } from '../config/schema.ts'

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** What was asked for is not in sync yet, e.g. replication that was waited for. */
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
}

/** The command is not what it should be. Exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
