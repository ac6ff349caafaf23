/** Gives back the bytes of a blob, or of a range of it, from what lies in a tier. Only footer, index and the frames in question are read. */
import { tagBytes } from '../lib/frame-cipher.ts'
import { TierCorrupt } from './errors.ts'
import {
  crcBytes,
  entriesOf,
  type FrameEntry,
  footerBytes,
  frameBytes,
  frameCiphers,
  frameCrc,
  indexBytesOf,
  type Layout,
  pageOf,
  parseFooter,
  plainBytesOf,
} from './format.ts'
import type { TierReadOptions } from './store.ts'
import { decompressed } from './zstd.ts'

/** The stored bytes of one ref, wherever they are. */
export interface StoredBytes {
  /** The last so many bytes, or all when there are fewer. */
  tail(lengthBytes: number): Promise<{ readonly sizeBytes: number; readonly bytes: Buffer }>
  /** Exactly these, in a buffer that nobody else writes to. Never asked beyond the end. */
  at(place: { readonly offset: number; readonly lengthBytes: number }): Promise<Buffer>
  /** Nobody waits any more for what is under way. */
  giveUp(): void
}

/** Read at once at first: footer, index of blobs up to 16 GiB, and all of what is small. */
const tailBytes = 64 * 1024
/** Stored bytes that are asked for at once; as many again are on their way meanwhile. */
const runBytes = 4 * frameBytes

interface Opened {
  readonly layout: Layout & { readonly indexOffset: number }
  readonly bytesAt: StoredBytes['at']
}

interface Run {
  readonly firstFrame: number
  readonly entries: readonly FrameEntry[]
  readonly bytes: Buffer
}

/** @throws TierCorrupt, and what `stored` throws */
export async function* unpacked(
  stored: StoredBytes,
  ref: string,
  options: Omit<TierReadOptions, 'signal'>,
): AsyncGenerator<Buffer, void, void> {
  const { lengthBytes, dataKey, range = { start: 0, endInclusive: lengthBytes - 1 } } = options
  const opened = await opening(stored, ref, { lengthBytes, isEncrypted: dataKey !== undefined })
  const open = openerOf(opened.layout, dataKey)
  const runs = runsOf(opened, Math.floor(range.start / frameBytes), Math.max(0, Math.floor(range.endInclusive / frameBytes)))
  let ahead = runs.next()
  try {
    for (let run = await ahead; run.done !== true; run = await ahead) {
      ahead = runs.next()
      // Its failure is met at the next turn; until then nobody listens.
      ahead.catch(() => undefined)
      const { firstFrame, entries, bytes } = run.value
      let at = 0
      for (const [i, entry] of entries.entries()) {
        const number = firstFrame + i
        const plain = await open(bytes.subarray(at, at + entry.storedBytes), { number, isCompressed: entry.isCompressed })
        at += entry.storedBytes
        const begin = number * frameBytes
        const wanted = plain.subarray(Math.max(0, range.start - begin), Math.max(0, range.endInclusive + 1 - begin))
        if (wanted.length > 0) yield wanted
      }
    }
  } finally {
    // NOTE: nothing may read on when the caller closes what it reads from.
    stored.giveUp()
    await ahead.catch(() => undefined)
  }
}

async function opening(stored: StoredBytes, ref: string, expected: Omit<Layout, 'ref'>): Promise<Opened> {
  const { sizeBytes, bytes } = await stored.tail(tailBytes)
  const layout = parseFooter(ref, bytes.subarray(Math.max(0, bytes.length - footerBytes)))
  if (layout === undefined) throw new TierCorrupt(`${ref} does not end as it was written`)
  if (layout.lengthBytes !== expected.lengthBytes || layout.isEncrypted !== expected.isEncrypted) {
    throw new TierCorrupt(`${ref} is not what its row says: ${said(layout)} instead of ${said(expected)}`)
  }
  if (sizeBytes !== layout.indexOffset + indexBytesOf(layout) + footerBytes) {
    throw new TierCorrupt(`${ref} has ${sizeBytes} bytes, and not as many as were written`)
  }
  const tailOffset = sizeBytes - bytes.length
  return {
    layout,
    // What the first answer brought is not asked for again.
    async bytesAt(place) {
      if (place.offset < tailOffset) return stored.at(place)
      return bytes.subarray(place.offset - tailOffset, place.offset - tailOffset + place.lengthBytes)
    },
  }
}

function said({ lengthBytes, isEncrypted }: Omit<Layout, 'ref'>): string {
  return `${lengthBytes} bytes${isEncrypted ? ', encrypted' : ''}`
}

/** The frames from first to last, some at a time. */
async function* runsOf({ layout, bytesAt }: Opened, first: number, last: number): AsyncGenerator<Run, void, void> {
  let frame = first
  while (frame <= last) {
    const place = pageOf(layout, frame)
    const entries = entriesOf(layout, place, await bytesAt(place))
    if (entries === undefined) throw new TierCorrupt(`${layout.ref}: its index is not what was written`)
    const pageEnd = Math.min(last + 1, place.firstFrame + place.frames)
    while (frame < pageEnd) {
      const run = runFrom(entries.slice(frame - place.firstFrame, pageEnd - place.firstFrame))
      const offset = run[0]?.offset ?? 0
      yield { firstFrame: frame, entries: run, bytes: await bytesAt({ offset, lengthBytes: storedBytesOf(run) }) }
      frame += run.length
    }
  }
}

function runFrom(entries: readonly FrameEntry[]): readonly FrameEntry[] {
  let total = 0
  const end = entries.findIndex(({ storedBytes }) => {
    total += storedBytes
    return total > runBytes
  })
  return end === -1 ? entries : entries.slice(0, Math.max(1, end))
}

function storedBytesOf(entries: readonly FrameEntry[]): number {
  return entries.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
}

function openerOf(
  layout: Layout,
  dataKey: Uint8Array | undefined,
): (bytes: Buffer, frame: { readonly number: number; readonly isCompressed: boolean }) => Promise<Buffer> {
  const cipherFor = dataKey === undefined ? undefined : frameCiphers(layout, dataKey)
  return async (bytes, { number, isCompressed }) => {
    const corrupt = (): TierCorrupt => new TierCorrupt(`${layout.ref}: frame ${number} is not what was written`)
    const covered = bytes.subarray(0, bytes.length - crcBytes)
    if (bytes.readUInt32BE(covered.length) !== frameCrc(layout, { number, isCompressed, bytes: covered })) throw corrupt()
    const plainBytes = plainBytesOf(layout, number)
    let payload = covered
    if (cipherFor !== undefined) {
      payload = covered.subarray(0, covered.length - tagBytes)
      const isLast = (number + 1) * frameBytes >= layout.lengthBytes
      if (!cipherFor(isCompressed).open({ number, isLast }, payload, covered.subarray(payload.length))) throw corrupt()
    }
    const plain = isCompressed ? await decompressed(payload, plainBytes) : payload
    if (plain?.length !== plainBytes) throw corrupt()
    return plain
  }
}
