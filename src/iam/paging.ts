/** Pages of IAM's lists: Marker and MaxItems in, IsTruncated and Marker out. */
import { S3Error } from '../model/errors.ts'
import { decodeToken, encodeToken } from '../model/listing-parameters.ts'
import type { Parameters } from './parameters.ts'
import { validationError } from './refusals.ts'

export const pageParameters = ['Marker', 'MaxItems'] as const

/** IAM: MaxItems is 1 to 1000, and 100 when it is absent. */
const maxItemsMost = 1000
const maxItemsDefault = 100

export interface PageRequest {
  /** The name after which the page begins; '' is the beginning. */
  readonly after: string
  readonly limit: number
}

/** @throws S3Error ValidationError */
export function pageRequest(parameters: Parameters): PageRequest {
  const limit = parameters.integer('MaxItems') ?? maxItemsDefault
  if (limit < 1 || limit > maxItemsMost) {
    const bound = limit < 1 ? 'greater than or equal to 1' : `less than or equal to ${maxItemsMost}`
    throw validationError(`1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value ${bound}`)
  }
  const marker = parameters.optional('Marker')
  return { after: marker === undefined ? '' : positionOf(marker), limit }
}

function positionOf(marker: string): string {
  try {
    return decodeToken(marker, 'Marker')
  } catch (cause) {
    if (cause instanceof S3Error) throw new S3Error('ValidationError', { message: 'Invalid Marker.', cause })
    throw cause
  }
}

/**
 * @param found the entries of the page and, if there is one, the next
 * @param nameOf what `after` of the next page is compared with
 */
export function pageOf<T>(found: readonly T[], { limit }: PageRequest, nameOf: (item: T) => string) {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  const isTruncated = found.length > limit && last !== undefined
  return { items, members: { IsTruncated: isTruncated, ...(isTruncated && { Marker: encodeToken(nameOf(last)) }) } }
}
