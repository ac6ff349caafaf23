/** Whether the disk has room for more of large files, asked of the system only as often as it matters: asking costs as much as writing 200 KiB. */
import { DiskFull } from './errors.ts'
import type { FileOps } from './file-ops.ts'

/** While more than this is free beyond the reserve, the last answer is good for a while: as much as that is not written meanwhile. */
const nearBytes = 256 * 1024 * 1024
const answerBytes = 16 * 1024 * 1024
const answerMs = 200

export interface RoomOptions {
  readonly ops: Pick<FileOps, 'freeBytes'>
  readonly folder: string
  /** Free space that files must leave on the disk; 0 asks for none. */
  readonly reserveBytes: number
}

export class Room {
  readonly #options: RoomOptions
  #freeBytes = 0
  #takenBytes = 0
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(options: RoomOptions) {
    this.#options = options
  }

  /** To be asked before each write of a large file. @throws DiskFull; what the system answers */
  async check(neededBytes: number): Promise<void> {
    const { reserveBytes, ops, folder } = this.#options
    if (reserveBytes === 0) return
    this.#takenBytes += neededBytes
    if (this.#isAmple(neededBytes)) return
    this.#freeBytes = await ops.freeBytes(folder)
    this.#takenBytes = 0
    this.#askedMs = performance.now()
    if (this.#freeBytes - neededBytes > reserveBytes) return
    throw new DiskFull(`${this.#freeBytes} bytes are free, of which ${reserveBytes} are kept`)
  }

  #isAmple(neededBytes: number): boolean {
    const beyondBytes = this.#freeBytes - this.#options.reserveBytes - neededBytes
    return beyondBytes > nearBytes && this.#takenBytes < answerBytes && performance.now() - this.#askedMs < answerMs
  }
}
