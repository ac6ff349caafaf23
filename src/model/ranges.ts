/**
 * Byte ranges of a read and of a part copy, and the range that is one part of an object.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
import { S3Error } from './errors.ts'
import { partNumberMax } from './limits.ts'

/** Offsets in bytes, both counted in. An empty range (a part of no bytes) has `endInclusive === start - 1`. */
export interface ByteRange {
  readonly start: number
  readonly endInclusive: number
}

/** How many bytes a range holds. */
export function rangeLength(range: ByteRange): number {
  return range.endInclusive - range.start + 1
}

/** @example contentRange({ start: 0, endInclusive: 4 }, 10) === 'bytes 0-4/10' */
export function contentRange(range: ByteRange, sizeBytes: number): string {
  return `bytes ${range.start}-${range.endInclusive}/${sizeBytes}`
}

/**
 * Reads a Range header. What is malformed or names several ranges is ignored (`undefined`), as S3 does: the whole object is sent.
 * @throws S3Error InvalidRange (begins past the end, `-0`, or any range of an empty object)
 */
export function parseRange(header: string, sizeBytes: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header.trim())
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') return undefined

  if (first === '') {
    const suffix = Number(last)
    if (suffix === 0 || sizeBytes === 0) throw invalidRange(header, sizeBytes)
    return { start: Math.max(0, sizeBytes - suffix), endInclusive: sizeBytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? Number.POSITIVE_INFINITY : Number(last)
  if (end < start) return undefined
  if (start >= sizeBytes) throw invalidRange(header, sizeBytes)
  return { start, endInclusive: Math.min(end, sizeBytes - 1) }
}

/**
 * Reads `x-amz-copy-source-range`: exactly `bytes=first-last`, and both inside the source.
 * @throws S3Error InvalidArgument
 */
export function parseCopyRange(header: string, sizeBytes: number): ByteRange {
  const match = /^bytes=(\d+)-(\d+)$/.exec(header.trim())
  const start = Number(match?.[1])
  const endInclusive = Number(match?.[2])
  const details = { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: header }
  if (match === null || endInclusive < start) {
    throw new S3Error('InvalidArgument', {
      message:
        'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      details,
    })
  }
  if (endInclusive >= sizeBytes) {
    throw new S3Error('InvalidArgument', { message: `Range specified is not valid for source object of size: ${sizeBytes}`, details })
  }
  return { start, endInclusive }
}

/** @throws S3Error InvalidArgument (not a whole number from 1 to 10,000) */
export function parsePartNumber(text: string): number {
  const partNumber = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (partNumber < 1 || partNumber > partNumberMax) {
    throw new S3Error('InvalidArgument', {
      message: `Part number must be an integer between 1 and ${partNumberMax}, inclusive`,
      details: { ArgumentName: 'partNumber', ArgumentValue: text.slice(0, 64) },
    })
  }
  return partNumber
}

/**
 * The range that is one part. A multipart object's parts count from 1 in the object's order; a plain object is its own part 1.
 * @param object `partSizes` in bytes only for an object that was uploaded in parts
 * @throws S3Error InvalidPartNumber (416) | InvalidPart (a plain object)
 */
export function partRange(partNumber: number, object: { readonly sizeBytes: number; readonly partSizes?: readonly number[] }): ByteRange {
  if (object.partSizes === undefined) {
    if (partNumber !== 1) throw new S3Error('InvalidPart', { details: { PartNumber: partNumber } })
    return { start: 0, endInclusive: object.sizeBytes - 1 }
  }
  const size = object.partSizes[partNumber - 1]
  if (size === undefined) {
    throw new S3Error('InvalidPartNumber', { details: { PartNumberRequested: partNumber, ActualPartCount: object.partSizes.length } })
  }
  let start = 0
  for (const earlier of object.partSizes.slice(0, partNumber - 1)) start += earlier
  return { start, endInclusive: start + size - 1 }
}

/** @throws S3Error InvalidRequest (Range and partNumber in one request) */
export function checkRangeOrPart(range: string | undefined, partNumber: number | undefined): void {
  if (range !== undefined && partNumber !== undefined) {
    throw new S3Error('InvalidRequest', { message: 'Cannot specify both Range header and partNumber query parameter' })
  }
}

function invalidRange(header: string, sizeBytes: number): S3Error {
  return new S3Error('InvalidRange', {
    details: { ActualObjectSize: sizeBytes, RangeRequested: header },
    headers: { 'content-range': `bytes */${sizeBytes}` },
  })
}
