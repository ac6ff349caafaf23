/** The file-system calls that blobs need, one narrow door, so that a test can make the disk fail at each of them. */
import * as fs from 'node:fs'

export interface FileFacts {
  readonly sizeBytes: number
  /** When it was last written to. */
  readonly modifiedMs: number
}

export interface FileOps {
  /** `create` fails when the file is there. */
  open(path: string, mode: 'read' | 'create'): Promise<number>
  close(fd: number): Promise<void>
  /** May read less than asked for. 0 is the end of the file. */
  read(fd: number, into: Uint8Array, position: number): Promise<number>
  /** May write less than asked for. */
  write(fd: number, from: Uint8Array, position: number): Promise<number>
  fdatasync(fd: number): Promise<void>
  fsync(fd: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Quiet when the folder is there. */
  mkdir(path: string): Promise<void>
  readdir(path: string): Promise<readonly string[]>
  stat(path: string): Promise<FileFacts>
  freeBytes(path: string): Promise<number>
}

// Bytes of objects are nobody's business but the server's.
const fileMode = 0o600
const folderMode = 0o700
const openFlags = { read: fs.constants.O_RDONLY, create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL }

/** Plain descriptors and callbacks: 6 µs less for each read than FileHandle. */
export const nodeFileOps: FileOps = {
  open: (path, mode) => promised((done) => fs.open(path, openFlags[mode], fileMode, done)),
  close: (fd) => promised((done) => fs.close(fd, (error) => done(error))),
  read: (fd, into, position) => promised((done) => fs.read(fd, into, 0, into.byteLength, position, done)),
  write: (fd, from, position) => promised((done) => fs.write(fd, from, 0, from.byteLength, position, done)),
  fdatasync: (fd) => promised((done) => fs.fdatasync(fd, (error) => done(error))),
  fsync: (fd) => promised((done) => fs.fsync(fd, (error) => done(error))),
  rename: (from, to) => promised((done) => fs.rename(from, to, (error) => done(error))),
  unlink: (path) => promised((done) => fs.unlink(path, (error) => done(error))),
  mkdir: async (path) => {
    await fs.promises.mkdir(path, { recursive: true, mode: folderMode })
  },
  readdir: (path) => fs.promises.readdir(path),
  stat: async (path) => {
    const { size, mtimeMs } = await fs.promises.stat(path)
    return { sizeBytes: size, modifiedMs: mtimeMs }
  },
  freeBytes: async (path) => {
    const { bavail, bsize } = await fs.promises.statfs(path)
    return bavail * bsize
  },
}

/** Writes all of `from`. */
export async function writeFully(ops: FileOps, target: { fd: number; from: Uint8Array; position: number }): Promise<void> {
  let written = 0
  while (written < target.from.byteLength) {
    const count = await ops.write(target.fd, written === 0 ? target.from : target.from.subarray(written), target.position + written)
    if (count <= 0) throw Object.assign(new Error('The disk took no bytes'), { code: 'EIO' })
    written += count
  }
}

/** Fills `into` as far as the file goes, and says how far that was. */
export async function readFully(ops: FileOps, source: { fd: number; into: Uint8Array; position: number }): Promise<number> {
  let filled = 0
  while (filled < source.into.byteLength) {
    const count = await ops.read(source.fd, filled === 0 ? source.into : source.into.subarray(filled), source.position + filled)
    if (count <= 0) break
    filled += count
  }
  return filled
}

/** Makes the names in a folder (created, renamed) survive a power cut. */
export async function syncFolder(ops: FileOps, path: string): Promise<void> {
  const fd = await ops.open(path, 'read')
  try {
    await ops.fsync(fd)
  } finally {
    await closeQuietly(ops, fd)
  }
}

/** A close has nothing to tell that the sync before it did not; the descriptor is gone in any case. */
export async function closeQuietly(ops: FileOps, fd: number): Promise<void> {
  await ops.close(fd).catch(() => undefined)
}

function promised<T = void>(call: (done: (error: Error | null | undefined, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    // A call of T = void gives no value; every other gives one when there is no error.
    call((error, value) => (error ? reject(error) : resolve(value as T)))
  })
}
