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
  const content = await contentOfVersion(parts, source, { signal: request.signal })
  return await putObject(parts, { ...request, algorithm, claims: {} }, content)
}

/** A version's bytes as the content of something new. */
export async function contentOfVersion(
  parts: ObjectParts,
  source: ObjectVersion,
  options: Pick<ReadContentOptions, 'range' | 'signal'>,
): Promise<ContentSource> {
  const content = await openContent(parts, source, options)
  const lengthBytes = options.range === undefined ? source.size : rangeLength(options.range)
  return contentOf(lengthBytes, Buffer.isBuffer(content) ? once(content) : content)
}

async function* once(buffer: Buffer): AsyncGenerator<Buffer> {
  if (buffer.length > 0) yield buffer
}
