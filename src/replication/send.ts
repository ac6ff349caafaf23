/** Carries versions to another region: many small ones in one signed request, a large one streamed. */
import { hash } from 'node:crypto'
import type { Task } from '../metadata/tables/tasks.ts'
import { partMaxBytes } from '../model/limits.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { ContentGone } from '../objects/read.ts'
import type { PeerClient } from '../peers/client.ts'
import { PeerRefused, PeerUnreachable } from '../peers/errors.ts'
import { encodeFrame, encodeHead, pack } from './frame.ts'
import { expectedProof, type Loaded, loadRows, openLoaded, readLoaded, type Unsendable, unsendable, wireVersion } from './load.ts'
import {
  type Acknowledgement,
  batchAnswer,
  batchPath,
  encodingHeader,
  frameMaxBytes,
  headDigestHeader,
  headMaxBytes,
  versionPath,
  type WireLink,
  type WireVersion,
} from './wire.ts'

/** What became of one task. */
export type Sent =
  | { readonly kind: 'answered'; readonly task: Task; readonly acknowledgement: Acknowledgement; readonly expectedProof: string }
  | Unsendable
  /** There was no more room in the frame. */
  | { readonly kind: 'left'; readonly task: Task }

export interface SendParts {
  readonly objects: ObjectParts
  readonly client: PeerClient
  /** This region's place in the control log. */
  readonly controlPosition: () => number
  readonly clock: { nowMs(): number }
}

/** Reads of small content at one time. */
const readsMax = 32
/** Room in the head for links and what is around them. */
const envelopeBytes = 256 * 1024
/** The destination syncs and reads back before it answers: what a slow disk does of it in a second. A region that is silent is found out. */
const readBackBytesPerSecond = 16 * 1024 * 1024
const answerTimeoutMs = 10_000

/** The request of a batch, and what its acknowledgements will be about. */
interface Batch {
  readonly links: WireLink[]
  readonly versions: string[]
  readonly contents: Buffer[]
  readonly carried: Loaded[]
}

/**
 * Sends tasks whose content is small, in their order. @throws PeerUnreachable | PeerRefused when the batch came to nothing as a whole
 * @returns one for each task
 */
export async function sendBatch(parts: SendParts, tasks: readonly Task[], signal: AbortSignal): Promise<readonly Sent[]> {
  const controlPosition = parts.controlPosition()
  const loaded = await loadRows(parts.objects, { tasks, nowMs: parts.clock.nowMs() })
  const { batch, others } = await fill(parts, loaded, signal)
  if (batch.carried.length === 0) return others
  const { body, isCompressed } = await pack(encodeFrame({ controlPosition, links: batch.links, versions: batch.versions }, batch.contents))
  const answer = await parts.client.request({
    method: 'POST',
    path: batchPath,
    headers: { 'content-type': 'application/octet-stream', ...(isCompressed ? { [encodingHeader]: 'zstd' } : {}) },
    body,
    signal,
  })
  return [...others, ...matched(parts.client, batch.carried, answer.json(batchAnswer).acknowledgements)]
}

/**
 * Sends one version of any size. It asks first, so that nothing is carried that is refused, or there already.
 * @throws as `sendBatch`
 */
export async function sendLarge(parts: SendParts, task: Task, signal: AbortSignal): Promise<Sent> {
  const controlPosition = parts.controlPosition()
  const [loaded] = await loadRows(parts.objects, { tasks: [task], nowMs: parts.clock.nowMs() })
  if (loaded === undefined || 'kind' in loaded) return loaded ?? { kind: 'gone', task }
  const probe = encodeFrame(
    { controlPosition, links: [loaded.link], versions: [JSON.stringify(wireVersion(loaded, { link: 0, isProbe: true }))] },
    [],
  )
  const probed = await parts.client.request({
    method: 'POST',
    path: batchPath,
    body: probe,
    signal,
    // A version that stands there is read whole.
    answerTimeoutMs: answerTimeoutFor(loaded.version.size),
  })
  const [sent] = matched(parts.client, [loaded], probed.json(batchAnswer).acknowledgements)
  if (sent === undefined || sent.kind !== 'answered' || sent.acknowledgement.kind !== 'missing') return sent ?? { kind: 'gone', task }
  return await stream(parts, loaded, { controlPosition, signal })
}

async function stream(
  parts: SendParts,
  loaded: Loaded,
  { controlPosition, signal }: { readonly controlPosition: number; readonly signal: AbortSignal },
): Promise<Sent> {
  const version = JSON.stringify(wireVersion(loaded, { link: 0, isProbe: false }))
  const head = encodeHead({ controlPosition, links: [loaded.link], versions: [version] })
  // What pins the content of the version to the end of the request.
  const ended = new AbortController()
  try {
    const content = await openLoaded(parts.objects, loaded, AbortSignal.any([signal, ended.signal]))
    const answer = await parts.client.request({
      method: 'PUT',
      path: versionPath,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(head.length + loaded.version.size),
        [headDigestHeader]: hash('sha256', head, 'hex'),
      },
      body: chained(head, content),
      signal,
      // Behind the last byte, at most one part is still to be read back.
      answerTimeoutMs: answerTimeoutFor(Math.min(loaded.version.size, partMaxBytes)),
    })
    const [sent] = matched(parts.client, [loaded], answer.json(batchAnswer).acknowledgements)
    return sent ?? { kind: 'gone', task: loaded.task }
  } catch (error) {
    if (error instanceof PeerUnreachable || error instanceof PeerRefused || signal.aborted) throw error
    return unsendable(loaded.task, error)
  } finally {
    ended.abort(new ContentGone())
  }
}

function answerTimeoutFor(bytes: number): number {
  return answerTimeoutMs + Math.ceil(bytes / readBackBytesPerSecond) * 1000
}

async function* chained(head: Buffer, content: Buffer | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield head
  if (Buffer.isBuffer(content)) yield content
  else yield* content
}

/** Puts into one frame what fits, in order. Behind what does not fit, nothing goes. */
async function fill(
  parts: SendParts,
  loaded: readonly (Loaded | Unsendable)[],
  signal: AbortSignal,
): Promise<{ readonly batch: Batch; readonly others: readonly Sent[] }> {
  const others: Sent[] = []
  const batch: Batch = { links: [], versions: [], contents: [], carried: [] }
  const linkNumbers = new Map<string, number>()
  let headBytes = envelopeBytes
  let contentBytes = 0
  let isFull = false
  for (let at = 0; at < loaded.length; at += readsMax) {
    const prepared = await Promise.all(
      loaded.slice(at, at + readsMax).map((one) => (isFull || 'kind' in one ? one : prepare(parts, one, { batch, linkNumbers, signal }))),
    )
    for (const one of prepared) {
      if ('kind' in one) {
        others.push(one)
        continue
      }
      if (!isFull && 'wire' in one) {
        headBytes += Buffer.byteLength(one.json) + 1
        contentBytes += one.content.length
        isFull = (headBytes > headMaxBytes || headBytes + contentBytes > frameMaxBytes) && batch.carried.length > 0
      }
      if (isFull || !('wire' in one)) {
        others.push({ kind: 'left', task: one.task })
        continue
      }
      batch.versions.push(one.json)
      batch.contents.push(one.content)
      batch.carried.push(one.loaded)
    }
  }
  return { batch, others }
}

interface Prepared {
  readonly task: Task
  readonly loaded: Loaded
  readonly wire: WireVersion
  readonly json: string
  readonly content: Buffer
}

async function prepare(
  parts: SendParts,
  loaded: Loaded,
  of: { readonly batch: Batch; readonly linkNumbers: Map<string, number>; readonly signal: AbortSignal },
): Promise<Prepared | Unsendable> {
  const wire = wireVersion(loaded, { link: linkNumber(loaded.link, of), isProbe: false })
  const content = await readLoaded(parts.objects, loaded, wire, of.signal)
  if (!Buffer.isBuffer(content)) return content
  return { task: loaded.task, loaded, wire, json: JSON.stringify(wire), content }
}

function linkNumber(link: WireLink, { batch, linkNumbers }: { readonly batch: Batch; readonly linkNumbers: Map<string, number> }): number {
  const name = JSON.stringify(link)
  const known = linkNumbers.get(name)
  if (known !== undefined) return known
  const number = batch.links.push(link) - 1
  linkNumbers.set(name, number)
  return number
}

function matched(client: PeerClient, carried: readonly Loaded[], acknowledgements: readonly Acknowledgement[]): readonly Sent[] {
  if (acknowledgements.length !== carried.length) {
    const why = `it acknowledged ${acknowledgements.length} of ${carried.length} versions`
    throw new PeerUnreachable({ region: client.region, fault: 'stranger', why })
  }
  return carried.map((loaded, index) => {
    const acknowledgement = acknowledgements[index]
    if (acknowledgement === undefined) throw new RangeError('an acknowledgement is missing')
    return { kind: 'answered', task: loaded.task, acknowledgement, expectedProof: expectedProof(loaded) }
  })
}
