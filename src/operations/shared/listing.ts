/** What the listings of a bucket share: their parameters and how they write keys. */
import { quoteEtag } from '../../model/etag.ts'
import { encodeUrlForm, parseEncodingType, parseMaxEntries } from '../../model/listing-parameters.ts'
import { checkKeyText } from '../../model/names.ts'
import type { ObjectVersion } from '../../model/version.ts'
import { query, type TextMember } from '../../s3/members.ts'
import { isoTime, type XmlValue } from '../../s3/xml/write.ts'

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

/** What every listing says of an object or version behind its names. */
export function objectElements(
  { record, lastModifiedMs, etag, size, storageClass }: ObjectVersion,
  withOwner: boolean,
): Readonly<Record<string, XmlValue>> {
  return {
    LastModified: isoTime(lastModifiedMs),
    ETag: quoteEtag(etag),
    ChecksumAlgorithm: record.checksum?.algorithm,
    ChecksumType: record.checksum?.type,
    Size: size,
    Owner: withOwner ? { ID: record.ownerId } : undefined,
    StorageClass: storageClass,
  }
}
