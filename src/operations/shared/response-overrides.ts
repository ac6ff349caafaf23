/** `response-*`: headers that whoever signed a GET wants on its answer. */
import { S3Error } from '../../model/errors.ts'
import type { Member, RequestParts } from '../../s3/members.ts'

const overrides = [
  ['response-cache-control', 'cache-control'],
  ['response-content-disposition', 'content-disposition'],
  ['response-content-encoding', 'content-encoding'],
  ['response-content-language', 'content-language'],
  ['response-content-type', 'content-type'],
  ['response-expires', 'expires'],
] as const

/** Query parameters that `responseOverrides` reads. */
export const overrideQueries: readonly string[] = overrides.map(([parameter]) => parameter)

/**
 * Refused without a signature: whoever may read an object must not be able to have it served as something else.
 * Decoded after the signature was checked, so that a claim to be signed is one.
 */
export function responseOverrides(): Member<Readonly<Record<string, string>>> {
  return { stage: 'head', queryName: undefined, decode: readOverrides }
}

function readOverrides({ query, headers }: RequestParts): Readonly<Record<string, string>> {
  const isSigned = headers.authorization !== undefined || query.has('X-Amz-Signature')
  const found: [string, string][] = []
  for (const [parameter, header] of overrides) {
    const value = query.get(parameter)
    if (value === undefined) continue
    if (!isSigned) {
      throw new S3Error('InvalidRequest', { message: 'Request specific response headers cannot be used for anonymous GET requests.' })
    }
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new S3Error('InvalidArgument', {
        message: 'Header value cannot be represented using ISO-8859-1.',
        details: { ArgumentName: parameter, ArgumentValue: value.slice(0, 1024) },
      })
    }
    found.push([header, value])
  }
  return Object.fromEntries(found)
}
