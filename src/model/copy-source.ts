/**
 * Reads `x-amz-copy-source`: `[/]bucket/key[?versionId=id]`, percent-encoded once.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
import { S3Error } from './errors.ts'
import { checkBucketName, checkKey, decodePathKey } from './names.ts'

export interface CopySource {
  readonly bucket: string
  readonly key: string
  /** As it was sent; its form is not checked here. */
  readonly versionId?: string
}

/**
 * `?versionId=` is split off before decoding, so that a key may hold an escaped question mark.
 * @throws S3Error InvalidArgument | NotImplemented (an access point) | KeyTooLongError | InvalidURI
 */
export function parseCopySource(header: string): CopySource {
  const question = header.lastIndexOf('?versionId=')
  const path = question < 0 ? header : header.slice(0, question)
  const versionId = question < 0 ? undefined : decode(header.slice(question + '?versionId='.length), header)
  if (versionId === '') throw invalid('Version id cannot be the empty string', header)

  const decoded = decode(path, header).replace(/^\//, '')
  if (decoded.startsWith('arn:')) {
    throw new S3Error('NotImplemented', { message: 'An access point as x-amz-copy-source is not supported by this server.' })
  }
  const slash = decoded.indexOf('/')
  if (slash < 1 || slash === decoded.length - 1) throw invalid('Invalid copy source object key', header)
  const bucket = decoded.slice(0, slash)
  const key = decoded.slice(slash + 1)
  try {
    checkBucketName(bucket)
  } catch (cause) {
    throw invalid('Invalid copy source bucket name', header, cause)
  }
  checkKey(key)
  return { bucket, key, ...(versionId !== undefined && { versionId }) }
}

function decode(text: string, header: string): string {
  try {
    return decodePathKey(text)
  } catch (cause) {
    throw invalid('Invalid copy source encoding.', header, cause)
  }
}

function invalid(message: string, header: string, cause?: unknown): S3Error {
  const details = { ArgumentName: 'x-amz-copy-source', ArgumentValue: header.slice(0, 2048) }
  return new S3Error('InvalidArgument', { message, details, cause })
}
