/**
 * Lets only so many calls that change the disk be under way at a time; the others wait their turn. Node makes these calls on a few threads that all
 * of the process shares: when a disk hangs that takes no writes, what can be read without it must not wait behind writes that do not end.
 */
import type { FileOps } from './file-ops.ts'

/** A disk is busy long before. bin/farshore.js sees to it that all serving threads together leave some of node's for reads. */
const changesMaxDefault = 8

export function patientOps(ops: FileOps, changesMax = changesMaxDefault): FileOps {
  const waiting: (() => void)[] = []
  let underWay = 0
  const done = (): void => {
    const next = waiting.shift()
    // The place goes to the next, or is free.
    if (next === undefined) underWay -= 1
    else next()
  }
  const inTurn = async <T>(change: () => Promise<T>): Promise<T> => {
    if (underWay < changesMax) underWay += 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    return await change().finally(done)
  }
  return {
    ...ops,
    open: (path, mode) => (mode === 'create' ? inTurn(() => ops.open(path, mode)) : ops.open(path, mode)),
    write: (fd, from, position) => inTurn(() => ops.write(fd, from, position)),
    fdatasync: (fd) => inTurn(() => ops.fdatasync(fd)),
    fsync: (fd) => inTurn(() => ops.fsync(fd)),
    rename: (from, to) => inTurn(() => ops.rename(from, to)),
    unlink: (path) => inTurn(() => ops.unlink(path)),
  }
}
