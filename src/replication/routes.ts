/** What this region answers to regions that send versions. */
import { sleep } from '../lib/engine.ts'
import { S3Error } from '../model/errors.ts'
import { type IncomingBody, type PeerContext, type PeerRoute, peerStreamRoute } from '../peers/routes.ts'
import { decodeFrame, readStreamHead, unpack } from './frame.ts'
import { IncomingBuffer, IncomingStream } from './incoming.ts'
import { type ReceiveParts, receive } from './receive.ts'
import {
  type BatchAnswer,
  batchPath,
  type contentBytesOf,
  encodingHeader,
  type FrameHead,
  frameMaxBytes,
  headDigestHeader,
  versionPath,
} from './wire.ts'

/** Deliveries at work at one time, from all regions: each batch holds up to two frames in memory. */
const atWorkMax = 16
/** The control log is followed within milliseconds: who is behind is waited for, this long. */
const catchUpMs = 1_000
const catchUpPollMs = 10

export function replicationRoutes(parts: ReceiveParts): readonly PeerRoute[] {
  let atWork = 0
  async function limited(work: () => Promise<BatchAnswer>): Promise<BatchAnswer> {
    if (atWork >= atWorkMax) throw new S3Error('SlowDown')
    atWork += 1
    try {
      return await work()
    } finally {
      atWork -= 1
    }
  }
  return [
    peerStreamRoute({
      method: 'POST',
      path: batchPath,
      handle: (context, { headers, body }) =>
        limited(async () => {
          checkSigned(headers['x-amz-content-sha256'])
          const frame = await unpack({ body: await gather(body), isCompressed: isZstd(headers[encodingHeader]) })
          return await takeBatch(parts, context, frame)
        }),
    }),
    peerStreamRoute({
      method: 'PUT',
      path: versionPath,
      handle: (context, { headers, body }) => limited(() => takeStream(parts, context, { body, digest: headers[headDigestHeader] })),
    }),
  ]
}

async function takeBatch(parts: ReceiveParts, { from, signal }: PeerContext, frame: Buffer): Promise<BatchAnswer> {
  const { head, arrived } = decodeFrame(frame)
  await caughtUp(parts, head, signal)
  const contents = arrived.map(({ version, content }) => (hasContent(version) ? new IncomingBuffer(content) : undefined))
  return { acknowledgements: [...(await receive(parts, { from, head, contents, signal }))] }
}

async function takeStream(
  parts: ReceiveParts,
  { from, signal }: PeerContext,
  { body, digest }: { readonly body: IncomingBody; readonly digest: unknown },
): Promise<BatchAnswer> {
  const iterator = body[Symbol.asyncIterator]()
  try {
    const { head, rest } = await readStreamHead(iterator, digest)
    const [version] = head.versions
    if (version === undefined || head.versions.length !== 1 || !hasContent(version)) {
      throw new S3Error('InvalidRequest', { message: 'A stream carries one version and its content.' })
    }
    await caughtUp(parts, head, signal)
    const incoming = new IncomingStream(iterator, rest)
    const received = { from, head, contents: [incoming], end: () => incoming.end(), signal }
    return { acknowledgements: [...(await receive(parts, received))] }
  } finally {
    await iterator.return?.()
  }
}

function hasContent({ content }: Parameters<typeof contentBytesOf>[0]): boolean {
  return content.kind === 'blob' || content.kind === 'parts'
}

async function caughtUp({ controlPosition, clock }: ReceiveParts, head: FrameHead, signal: AbortSignal): Promise<void> {
  const endMs = clock.nowMs() + catchUpMs
  while ((await controlPosition()) < head.controlPosition && clock.nowMs() < endMs) await sleep(catchUpPollMs, signal)
}

/** A batch is believed by the signature over its bytes. */
function checkSigned(digest: unknown): void {
  if (typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest)) return
  throw new S3Error('AccessDenied', { message: 'A batch between regions must be signed with its SHA-256.' })
}

function isZstd(encoding: unknown): boolean {
  if (encoding === undefined) return false
  if (encoding === 'zstd') return true
  throw new S3Error('InvalidRequest', { message: `${encodingHeader} may be zstd.` })
}

async function gather(body: IncomingBody): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > frameMaxBytes) throw new S3Error('EntityTooLarge', { details: { MaxSizeAllowed: frameMaxBytes } })
    pieces.push(piece)
  }
  return Buffer.concat(pieces, length)
}
