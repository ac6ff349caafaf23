/** What the listings of a bucket share: their parameters and how they write keys. */
import { encodeUrlForm, parseEncodingType, parseMaxEntries } from '../../model/listing-parameters.ts'
import { checkKeyText } from '../../model/names.ts'
import type { ListedVersion } from '../../model/version.ts'
import { query, type TextMember } from '../../s3/members.ts'
import { escapeXml, isoTime, Markup, type XmlValue } from '../../s3/xml/write.ts'

/** A prefix, delimiter or marker; '' when it is absent. */
export function keyTextQuery(name: string): TextMember<string> {
  return query(name).map((text) => {
    checkKeyText(name, text)
    return text
  })
}

export const listMembers = {
  Prefix: keyTextQuery('prefix').optional(),
  Delimiter: keyTextQuery('delimiter').optional(),
  EncodingType: query('encoding-type').map(parseEncodingType).optional(),
}

/** `max-keys` and its kind; absent is the most there can be. */
export function maxEntriesQuery(name: string) {
  return query(name)
    .map((text) => parseMaxEntries(text, name))
    .optional()
}

/** How a listing writes keys, prefixes, delimiters and markers. An absent text stays absent. */
export interface KeyWriter {
  (text: string): string
  (text: string | undefined): string | undefined
}

export function keyWriter(encodingType: 'url' | undefined): KeyWriter {
  function write(text: string): string
  function write(text: string | undefined): string | undefined
  function write(text: string | undefined): string | undefined {
    return text === undefined || encodingType === undefined ? text : encodeUrlForm(text)
  }
  return write
}

/** An empty delimiter is none, and is not told. */
export function delimiterElement(delimiter: string | undefined, write: KeyWriter): string | undefined {
  return delimiter === undefined || delimiter === '' ? undefined : write(delimiter)
}

export function commonPrefixElements(prefixes: readonly string[], write: KeyWriter): XmlValue {
  return prefixes.map((prefix) => ({ Prefix: write(prefix) }))
}

/** What every listing says of an object or version behind its names. A page has a thousand of them, so that it is written as text. */
export function objectMarkup({ ownerId, checksum, lastModifiedMs, etag, size, storageClass }: ListedVersion, withOwner: boolean): string {
  const sum =
    checksum === undefined
      ? ''
      : `<ChecksumAlgorithm>${checksum.algorithm}</ChecksumAlgorithm><ChecksumType>${checksum.type}</ChecksumType>`
  return (
    `<LastModified>${isoTime(lastModifiedMs)}</LastModified><ETag>&quot;${etag}&quot;</ETag>${sum}<Size>${size}</Size>` +
    `${withOwner ? ownerMarkup(ownerId) : ''}<StorageClass>${storageClass}</StorageClass>`
  )
}

export function ownerMarkup(ownerId: string): string {
  return `<Owner><ID>${escapeXml(ownerId)}</ID></Owner>`
}

/** `<Contents>` of a listing of current objects. */
export function contentsMarkup(version: ListedVersion, write: KeyWriter, withOwner: boolean): Markup {
  return new Markup(`<Key>${escapeXml(write(version.key))}</Key>${objectMarkup(version, withOwner)}`)
}
