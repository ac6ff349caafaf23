/** One of the two ways to a region: many small versions to a request, or one large one by itself. What a lane may do at once is limited. */
import { tasksBehind } from '../metadata/tables/settlements.ts'
import type { Task } from '../metadata/tables/tasks.ts'
import { objectMaxBytes } from '../model/limits.ts'
import { isOfLane, ReadyScan, type ScanParts, takeFailed } from './ready-scan.ts'
import { batchMaxVersions, smallContentMaxBytes } from './wire.ts'

/** Content of one batch; what is around it has room in the frame too. */
const batchMaxBytes = 7 * 1024 * 1024
/** Of a batch, for tasks that failed before: they hold up none that never had their turn. */
const failedMaxShare = 128
/** A batch with fewer keys than this is filled with later versions of its keys. */
const fillBelowKeys = 128

export interface Lane {
  readonly name: 'small' | 'large'
  /** Requests at one time. */
  readonly slots: number
  /** The next batch, entered as under way; empty when there is nothing to do. @param maxVersions  fewer after failures */
  next(maxVersions: number): Promise<readonly Task[]>
  putBack(tasks: readonly Task[]): void
}

type LaneParts = Omit<ScanParts, 'contentBytes'>

export function createSmallLane(parts: LaneParts): Lane {
  const scanParts = { ...parts, contentBytes: { min: 0, max: smallContentMaxBytes } }
  const scan = new ReadyScan(scanParts)
  return {
    name: 'small',
    slots: 4,
    async next(maxVersions) {
      const count = Math.min(maxVersions, batchMaxVersions)
      const failed = await takeFailed(scanParts, { count: Math.min(count, failedMaxShare), bytes: batchMaxBytes })
      const bytes = batchMaxBytes - bytesOf(failed)
      const ready = failed.length < count ? await scan.take({ count: count - failed.length, bytes }) : []
      const behind = await fill(scanParts, ready, { count: count - failed.length, bytes })
      return [...failed, ...behind]
    },
    putBack: (tasks) => scan.putBack(tasks),
  }
}

export function createLargeLane(parts: LaneParts): Lane {
  const scanParts = { ...parts, contentBytes: { min: smallContentMaxBytes + 1, max: objectMaxBytes } }
  const scan = new ReadyScan(scanParts)
  const one = { count: 1, bytes: Number.POSITIVE_INFINITY }
  return {
    name: 'large',
    slots: 2,
    async next() {
      const ready = await scan.take(one)
      return ready.length > 0 ? ready : await takeFailed(scanParts, one)
    },
    putBack: (tasks) => scan.putBack(tasks),
  }
}

/** Behind each head the versions of its key that follow it, in their order and without a gap, as far as there is room. */
async function fill(
  parts: ScanParts,
  heads: readonly Task[],
  wanted: { readonly count: number; readonly bytes: number },
): Promise<readonly Task[]> {
  const { metadata, clock, inFlight } = parts
  let room = wanted.count - heads.length
  let bytes = wanted.bytes - bytesOf(heads)
  if (heads.length >= fillBelowKeys || room <= 0) return heads
  const filled: Task[] = []
  for (const head of heads) {
    filled.push(head)
    if (room <= 0) continue
    const limit = room
    const behind = await metadata.read(() => tasksBehind(head, limit))
    for (const task of behind) {
      if (room <= 0 || !isOfLane(parts, task) || task.contentBytes > bytes || task.nextAttemptMs > clock.nowMs()) break
      inFlight.add(task)
      filled.push(task)
      room -= 1
      bytes -= task.contentBytes
    }
  }
  return filled
}

function bytesOf(tasks: readonly Task[]): number {
  return tasks.reduce((sum, { contentBytes }) => sum + contentBytes, 0)
}
