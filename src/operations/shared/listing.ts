/** What the listings of a bucket share: their parameters and how they write keys. */
import { S3Error } from '../../model/errors.ts'
import { encodeUrlForm, parseEncodingType, parseMaxEntries } from '../../model/listing-parameters.ts'
import { checkKeyText } from '../../model/names.ts'
import { needsRestore } from '../../model/storage-class.ts'
import type { ListedVersion } from '../../model/version.ts'
import { header, query, type TextMember } from '../../s3/members.ts'
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

/** Of the listings of objects and versions. */
export const objectListMembers = {
  ...listMembers,
  OptionalAttributes: header('x-amz-optional-object-attributes').map(parseOptionalAttributes).optional(),
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
export function objectMarkup(version: ListedVersion, { withOwner, restoreAt }: MarkupOptions): string {
  const { ownerId, checksum, lastModifiedMs, etag, size, storageClass } = version
  const sum =
    checksum === undefined
      ? ''
      : `<ChecksumAlgorithm>${checksum.algorithm}</ChecksumAlgorithm><ChecksumType>${checksum.type}</ChecksumType>`
  return (
    `<LastModified>${isoTime(lastModifiedMs)}</LastModified><ETag>&quot;${etag}&quot;</ETag>${sum}<Size>${size}</Size>` +
    `${withOwner ? ownerMarkup(ownerId) : ''}<StorageClass>${storageClass}</StorageClass>` +
    (restoreAt === undefined ? '' : restoreMarkup(version, restoreAt))
  )
}

/** Of what was restored, or is being restored; S3 says nothing of anything else. */
function restoreMarkup({ storageClass, restore }: ListedVersion, nowMs: number): string {
  if (restore === undefined || !needsRestore(storageClass)) return ''
  if (restore.state === 'ongoing') return '<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>'
  if (restore.expiryMs <= nowMs) return ''
  const expiry = `<RestoreExpiryDate>${isoTime(restore.expiryMs)}</RestoreExpiryDate>`
  return `<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>${expiry}</RestoreStatus>`
}

/** When the listing was asked for how archived objects stand: the time by which they do. */
export function restoreAt(input: { readonly OptionalAttributes: 'RestoreStatus' | undefined }, nowMs: number): number | undefined {
  return input.OptionalAttributes === undefined ? undefined : nowMs
}

export interface MarkupOptions {
  readonly withOwner: boolean
  /** The time of the listing, when it was asked for how archived objects stand. */
  readonly restoreAt: number | undefined
}

/** @throws S3Error InvalidArgument */
function parseOptionalAttributes(value: string): 'RestoreStatus' {
  const names = value.split(',').map((name) => name.trim())
  if (names.every((name) => name === 'RestoreStatus')) return 'RestoreStatus'
  throw new S3Error('InvalidArgument', {
    message: 'Invalid attribute name specified',
    details: { ArgumentName: 'x-amz-optional-object-attributes', ArgumentValue: value.slice(0, 256) },
  })
}

export function ownerMarkup(ownerId: string): string {
  return `<Owner><ID>${escapeXml(ownerId)}</ID></Owner>`
}

/** `<Contents>` of a listing of current objects. */
export function contentsMarkup(version: ListedVersion, write: KeyWriter, options: MarkupOptions): Markup {
  return new Markup(`<Key>${escapeXml(write(version.key))}</Key>${objectMarkup(version, options)}`)
}
