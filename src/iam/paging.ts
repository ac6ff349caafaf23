/** Pages of IAM's lists: Marker and MaxItems in, IsTruncated and Marker out. */
import { S3Error } from '../model/errors.ts'
import { decodeToken, encodeToken } from '../model/listing-parameters.ts'
import type { XmlValue } from '../s3/xml/write.ts'
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

export interface Page<T> {
  readonly items: readonly T[]
  /** What stands beside the list. */
  readonly members: { readonly [name: string]: XmlValue }
}

/**
 * @param found the entries of the page and, if there is one, the next
 * @param nameOf what `after` of the next page is compared with
 */
export function pageOf<T>(found: readonly T[], { limit }: PageRequest, nameOf: (item: T) => string): Page<T> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  const isTruncated = found.length > limit && last !== undefined
  return { items, members: { IsTruncated: isTruncated, ...(isTruncated && { Marker: encodeToken(nameOf(last)) }) } }
}

/** The page of a list that is whole and in the order of its names. */
export function pageOfAll<T>(all: readonly T[], parameters: Parameters, nameOf: (item: T) => string): Page<T> {
  const page = pageRequest(parameters)
  const found = page.after === '' ? all : all.filter((item) => nameOf(item) > page.after)
  return pageOf(found.slice(0, page.limit + 1), page, nameOf)
}

/** The page of a list that is put together for each call, in an order that stays: positions are counted. */
export function pageByCount<T>(all: readonly T[], parameters: Parameters): Page<T> {
  const { after, limit } = pageRequest(parameters)
  const begin = after === '' ? 0 : Number(after)
  if (!Number.isSafeInteger(begin) || begin < 0) throw validationError('Invalid Marker.')
  const items = all.slice(begin, begin + limit)
  const end = begin + items.length
  const isTruncated = end < all.length
  return { items, members: { IsTruncated: isTruncated, ...(isTruncated && { Marker: encodeToken(String(end)) }) } }
}
