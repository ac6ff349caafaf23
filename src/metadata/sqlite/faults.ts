/** Errors from SQLite and the disk, sorted by what the engine has to do about them. */
import { S3Error } from '../../model/errors.ts'

/**
 * `command`: the statement's own fault, only its command fails · `full`: no space, all is well when there is some again ·
 * `busy`: somebody else holds the write lock · `broken`: the disk or the file cannot be trusted, so nothing more is written.
 */
export type Fault = 'command' | 'full' | 'busy' | 'broken'

const brokenCodes = [
  'SQLITE_IOERR',
  'SQLITE_CORRUPT',
  'SQLITE_NOTADB',
  'SQLITE_CANTOPEN',
  'SQLITE_READONLY',
  'SQLITE_PROTOCOL',
  'EIO',
  'EROFS',
]

export function faultOf(error: unknown): Fault {
  const code = codeOf(error)
  if (code === undefined) return 'command'
  if (code.startsWith('SQLITE_FULL') || code === 'ENOSPC' || code === 'EDQUOT') return 'full'
  if (code.startsWith('SQLITE_BUSY')) return 'busy'
  return brokenCodes.some((broken) => code.startsWith(broken)) ? 'broken' : 'command'
}

/** The code of an SqliteError or a system error. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof S3Error || !(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What a client is told when the engine cannot take its command. */
export function unavailable(reason: string, cause?: unknown): S3Error {
  return new S3Error('ServiceUnavailable', { message: reason, cause })
}
