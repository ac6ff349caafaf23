/**
 * The parameters that all listings share, and their opaque tokens.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
import { crc32 } from 'node:zlib'
import { S3Error } from './errors.ts'
import { listMaxEntries } from './limits.ts'

const int32Max = 2_147_483_647 // S3: "an integer between 0 and 2147483647"

/**
 * Reads max-keys, max-uploads or max-parts. More than `most` is served as `most`; 0 asks for an empty page.
 * @throws S3Error InvalidArgument (negative, or not a whole number)
 */
export function parseMaxEntries(text: string | undefined, argumentName = 'max-keys', most = listMaxEntries): number {
  if (text === undefined || text === '') return most
  const details = { ArgumentName: argumentName, ArgumentValue: text.slice(0, 64) }
  if (!/^[+-]?\d+$/.test(text)) {
    throw new S3Error('InvalidArgument', { message: `Provided ${argumentName} not an integer or within integer range`, details })
  }
  const number = Number(text)
  if (number < 0 || number > int32Max) {
    throw new S3Error('InvalidArgument', { message: `Argument ${argumentName} must be an integer between 0 and ${int32Max}`, details })
  }
  return Math.min(number, most)
}

/** @throws S3Error InvalidArgument (anything but `url`) */
export function parseEncodingType(text: string | undefined): 'url' | undefined {
  if (text === undefined || text === 'url') return text
  throw new S3Error('InvalidArgument', {
    message: 'Invalid Encoding Method specified in Request',
    details: { ArgumentName: 'encoding-type', ArgumentValue: text.slice(0, 64) },
  })
}

/** How `encoding-type=url` writes a key: percent-encoded UTF-8, `/` as it is, a space as `+`. */
export function encodeUrlForm(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
}

/**
 * Wraps a position of a listing in a token that clients pass back unread. Its CRC catches what was cut or changed on the way; it is no
 * signature, because a position gives access to nothing.
 */
export function encodeToken(position: string): string {
  const text = Buffer.from(position)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(text))
  return `1${Buffer.concat([sum, text]).toString('base64url')}`
}

/** @throws S3Error InvalidArgument (not a token of ours) */
export function decodeToken(token: string, argumentName = 'continuation-token'): string {
  const bytes = Buffer.from(token.slice(1), 'base64url')
  const text = bytes.subarray(4)
  const position = text.toString()
  const isOurs = bytes.length >= 4 && bytes.readUInt32BE(0) === crc32(text) && encodeToken(position) === token
  if (isOurs) return position
  throw new S3Error('InvalidArgument', {
    message: 'The continuation token provided is incorrect',
    details: { ArgumentName: argumentName },
  })
}
