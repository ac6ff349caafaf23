/** CopyObject and UploadPartCopy: bytes of one object as the content of another, read and stored anew in one pass. */
import type { MadeVersion } from '../metadata/tables/versions.ts'
import type { ChecksumAlgorithm } from '../model/checksums.ts'
import { rangeLength } from '../model/ranges.ts'
import type { ObjectVersion } from '../model/version.ts'
import { type ContentSource, contentOf } from './content.ts'
import type { ObjectParts } from './parts.ts'
import { type PutRequest, putObject } from './put.ts'
import { openContent, type ReadContentOptions } from './read.ts'

/**
 * Stores the bytes of `source` under another name, or the same one.
 * @param request.algorithm  of the copy's checksum; without one it keeps the source's
 */
export async function copyObject(
  parts: ObjectParts,
  request: Omit<PutRequest, 'claims'> & { readonly source: ObjectVersion },
): Promise<MadeVersion> {
  const { source } = request
  const algorithm: ChecksumAlgorithm = request.algorithm ?? source.record.checksum?.algorithm ?? 'CRC64NVME'
  return await withContentOf(parts, source, {
    signal: request.signal,
    use: (content) => putObject(parts, { ...request, algorithm, claims: {} }, content),
  })
}

/** A version's bytes as the content of something new. They are held until `use` is done, whether it has read them or not. */
export async function withContentOf<T>(
  parts: ObjectParts,
  source: ObjectVersion,
  { use, range, signal }: Pick<ReadContentOptions, 'range' | 'signal'> & { readonly use: (content: ContentSource) => Promise<T> },
): Promise<T> {
  const ended = new AbortController()
  try {
    const content = await openContent(parts, source, { range, signal: AbortSignal.any([signal, ended.signal]) })
    const lengthBytes = range === undefined ? source.size : rangeLength(range)
    return await use(contentOf(lengthBytes, Buffer.isBuffer(content) ? once(content) : content))
  } finally {
    // Lets go of what nobody has begun to read.
    ended.abort('the content has been used')
  }
}

async function* once(buffer: Buffer): AsyncGenerator<Buffer> {
  if (buffer.length > 0) yield buffer
}
