/** What a question to the admin API says, read. */
import type { z } from 'zod'
import { S3Error } from '../model/errors.ts'

/** @throws S3Error InvalidArgument */
export function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new S3Error('InvalidArgument', { message: 'The body is no JSON.', cause })
  }
}

/** A place in a list, as text for a query. */
export function encodeAfter(place: object): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** @throws S3Error InvalidArgument */
export function decodeAfter<Place>(place: z.ZodType<Place>, text: string | undefined): Place | undefined {
  if (text === undefined) return undefined
  try {
    return place.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  } catch (cause) {
    throw new S3Error('InvalidArgument', { message: 'after is not a place that an answer named.', cause })
  }
}

/** @throws S3Error InvalidArgument naming the member */
export function parsedAs<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new S3Error('InvalidArgument', { message: `${issue?.path.join('.') || 'The question'}: ${issue?.message ?? 'is not understood'}.` })
}
