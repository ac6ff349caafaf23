/** Foreign errors, in one sentence for people. */
import { CommanderError } from 'commander'
import { ConfigError } from '../config/config-error.ts'
import { codeOf, reasonOf } from '../config/files.ts'
import { FolderLocked } from '../lib/folder-lock.ts'
import { UsageError } from './context.ts'

export interface Failure {
  readonly message: string
  /** Whether it is a fault of ours, worth its stack in the log, rather than something the operator can change. */
  readonly isOurs: boolean
}

export function failureOf(error: unknown): Failure {
  if (error instanceof ConfigError || error instanceof FolderLocked || error instanceof UsageError)
    return { message: error.message, isOurs: false }
  if (error instanceof CommanderError) return { message: error.message.replace(/^error: /, '').replace(/\n/g, ' '), isOurs: false }
  const listening = listenFailure(error)
  if (listening !== undefined) return { message: listening, isOurs: false }
  const code = codeOf(error)
  if (error instanceof Error && 'path' in error && typeof error.path === 'string') {
    return { message: `${error.path}: ${reasonOf(error)}.`, isOurs: false }
  }
  if (code?.startsWith('SQLITE_') && error instanceof Error) return { message: `The database: ${error.message}.`, isOurs: true }
  const message = error instanceof Error ? error.message : String(error)
  return { message: firstLine(message) || 'It failed without a reason.', isOurs: true }
}

/** @returns undefined unless a port could not be listened on */
function listenFailure(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || error.syscall !== 'listen') return undefined
  const port = 'port' in error ? error.port : '?'
  const address = 'address' in error ? error.address : '?'
  const code = codeOf(error)
  if (code === 'EADDRINUSE') return `Port ${port} on ${address} is taken by another process.`
  if (code === 'EACCES') return `Port ${port} on ${address} needs rights that this process has not.`
  if (code === 'EADDRNOTAVAIL') return `${address} is no address of this machine.`
  return `Can not listen on port ${port} of ${address}: ${reasonOf(error)}.`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
