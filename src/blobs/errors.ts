/** What can go wrong with stored bytes. Errors of the caller's own stream and signal pass through as they are. */
import type { BlobRef } from './ref.ts'

/** No room: ENOSPC or EDQUOT. Nothing was stored. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull'
}

/** The disk refused. After a write: nothing was stored that counts. */
export class BlobIoError extends Error {
  override readonly name = 'BlobIoError'
}

/** The process, or the machine, may open no more files. It says nothing about the bytes. */
export class NoDescriptors extends Error {
  override readonly name = 'NoDescriptors'
}

/** The bytes on the disk are not those that were written. */
export class BlobCorrupt extends Error {
  override readonly name = 'BlobCorrupt'
  readonly ref: BlobRef
  /** Number of the 64 KiB block, where it is known. */
  readonly block: number | undefined

  constructor(options: { ref: BlobRef; block?: number; reason: string }) {
    super(`Blob ${options.ref}${options.block === undefined ? '' : `, block ${options.block}`}: ${options.reason}`)
    this.ref = options.ref
    this.block = options.block
  }
}

/** The file, or the segment, of a blob is not there. */
export class BlobMissing extends Error {
  override readonly name = 'BlobMissing'
  readonly ref: BlobRef

  constructor(ref: BlobRef) {
    super(`Blob ${ref} is not there`)
    this.ref = ref
  }
}

/** The stream gave more or fewer bytes than announced, or more than one blob can hold. Nothing was stored. */
export class BlobLengthWrong extends Error {
  override readonly name = 'BlobLengthWrong'
}

/** The store is closed, or closing. */
export class BlobStoreClosed extends Error {
  override readonly name = 'BlobStoreClosed'

  constructor() {
    super('The blob store is closed')
  }
}

/** Gives a failure of a file operation its class; the operating system's error is the cause. */
export function asBlobError(error: unknown, doing: string): Error {
  if (error instanceof DiskFull || error instanceof BlobIoError || error instanceof NoDescriptors) return error
  const code = codeOf(error)
  const message = `Could not ${doing}${code === undefined ? '' : `: ${code}`}`
  if (code === 'EMFILE' || code === 'ENFILE') return new NoDescriptors(message, { cause: error })
  return code === 'ENOSPC' || code === 'EDQUOT' ? new DiskFull(message, { cause: error }) : new BlobIoError(message, { cause: error })
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
