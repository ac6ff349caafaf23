/** What the regions of a rig find in their environment. */
import { join } from 'node:path'

/** Most of a short trial is a start, and most of a start is reading the program: a folder of the rig keeps it read. */
export function quickStarts(folder: string): Readonly<Record<string, string>> {
  return { NODE_COMPILE_CACHE: join(folder, 'compiled') }
}

export interface ShimEnvironment {
  readonly library: string
  /** The data folder. */
  readonly root: string
  readonly log: string
  readonly control?: string
  /** Records of writes carry the bytes. */
  readonly hasData?: boolean
  /** Syncs of paths with this in them do nothing: the lie of a negative control. */
  readonly deaf?: string | undefined
}

export function underShim({ library, root, log, control, hasData = false, deaf }: ShimEnvironment): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: library,
    // Calls that go through a ring in memory are seen by nobody.
    UV_USE_IO_URING: '0',
    RIG_ROOT: root,
    RIG_LOG: log,
    RIG_DATA: hasData ? '1' : '0',
    ...(control === undefined ? {} : { RIG_CONTROL: control }),
    ...(deaf === undefined ? {} : { RIG_DEAF: deaf }),
  }
}
