/** Takes away what dead starts left behind and no row refers to. In parts, so that a store of any size is swept beside its work. */
import type { FileOps } from './file-ops.ts'
import { type BlobRef, blobOfFileName, fileRef, type SegmentId, segmentOfFileName, segmentPrefix } from './ref.ts'

/** Refs in one question to the rows. */
const questionRefsMax = 256
const defaultBudgetEntries = 2000

export interface SweepQuestions {
  /** Which of these are still in a row (one that waits as garbage counts as it likes: freeing it twice does no harm). */
  isReferenced(refs: readonly BlobRef[]): Promise<ReadonlySet<BlobRef>>
  /** Whether any row's ref begins with this. */
  isSegmentReferenced(segmentPrefix: string): Promise<boolean>
}

export interface SweepOptions {
  /** Directory entries to look at in this call; the folder in hand is finished. Default 2000. */
  readonly budgetEntries?: number
  readonly signal?: AbortSignal
  /** Default: every start before this one. With several writers on a folder: those whose end is proven. */
  readonly isBootDead?: (boot: number) => boolean
}

export interface SweepReport {
  readonly looked: number
  readonly removed: number
  readonly failed: number
  /** The last folder was reached; the next call begins anew. */
  readonly isDone: boolean
}

export interface SweeperParts {
  readonly ops: FileOps
  readonly boot: number
  readonly folders: { readonly tmp: string; readonly segments: string; readonly files: string }
  /** Names of the folders below `files`. */
  readonly fileFolders: readonly string[]
  readonly unlinkFile: (ref: BlobRef) => Promise<void>
  readonly unlinkSegment: (id: SegmentId) => Promise<void>
}

interface Pass {
  readonly questions: SweepQuestions
  readonly signal: AbortSignal | undefined
  readonly isBootDead: (boot: number) => boolean
  looked: number
  removed: number
  failed: number
}

export class Sweeper {
  readonly #parts: SweeperParts
  readonly #stations: readonly string[]
  #station = 0

  constructor(parts: SweeperParts) {
    this.#parts = parts
    this.#stations = ['tmp', 'segments', ...parts.fileFolders]
  }

  async sweep(questions: SweepQuestions, options: SweepOptions): Promise<SweepReport> {
    const { boot } = this.#parts
    const isGivenDead = options.isBootDead ?? ((other) => other < boot)
    const isBootDead = (other: number): boolean => other !== boot && isGivenDead(other)
    const pass: Pass = { questions, signal: options.signal, isBootDead, looked: 0, removed: 0, failed: 0 }
    const budget = options.budgetEntries ?? defaultBudgetEntries
    for (let station = this.#stations[this.#station]; station !== undefined; station = this.#stations[this.#station]) {
      await this.#visit(station, pass)
      this.#station += 1
      if (pass.looked >= budget) break
    }
    const isDone = this.#station >= this.#stations.length
    if (isDone) this.#station = 0
    return { looked: pass.looked, removed: pass.removed, failed: pass.failed, isDone }
  }

  #visit(station: string, pass: Pass): Promise<void> {
    if (station === 'tmp') return this.#sweepTemporary(pass)
    return station === 'segments' ? this.#sweepSegments(pass) : this.#sweepFiles(station, pass)
  }

  async #sweepTemporary(pass: Pass): Promise<void> {
    const { ops, folders } = this.#parts
    for (const name of await ops.readdir(folders.tmp)) {
      pass.signal?.throwIfAborted()
      pass.looked += 1
      const blob = blobOfFileName(name)
      if (blob !== undefined && pass.isBootDead(blob.boot)) await attempt(pass, () => ops.unlink(`${folders.tmp}/${name}`))
    }
  }

  async #sweepSegments(pass: Pass): Promise<void> {
    const { ops, folders, unlinkSegment } = this.#parts
    for (const name of await ops.readdir(folders.segments)) {
      pass.signal?.throwIfAborted()
      pass.looked += 1
      const id = segmentOfFileName(name)
      if (id === undefined || !pass.isBootDead(id.boot)) continue
      if (!(await pass.questions.isSegmentReferenced(segmentPrefix(id)))) await attempt(pass, () => unlinkSegment(id))
    }
  }

  async #sweepFiles(folder: string, pass: Pass): Promise<void> {
    const { ops, folders, unlinkFile } = this.#parts
    const names = await ops.readdir(`${folders.files}/${folder}`)
    pass.looked += names.length
    const refs = names
      .map(blobOfFileName)
      .filter((blob) => blob !== undefined && pass.isBootDead(blob.boot) && blob.id.startsWith(folder))
      .map((blob) => (blob === undefined ? '' : fileRef(blob)))
    for (let at = 0; at < refs.length; at += questionRefsMax) {
      pass.signal?.throwIfAborted()
      const asked = refs.slice(at, at + questionRefsMax)
      const referenced = await pass.questions.isReferenced(asked)
      for (const ref of asked) if (!referenced.has(ref)) await attempt(pass, () => unlinkFile(ref))
    }
  }
}

async function attempt(pass: Pass, work: () => Promise<void>): Promise<void> {
  try {
    await work()
    pass.removed += 1
  } catch {
    // The next pass meets it again.
    pass.failed += 1
  }
}
