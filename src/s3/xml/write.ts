/** Writes S3's answers as XML. */

/** The namespace of every S3 document. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html */
export const s3Namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'
export const xmlProlog = '<?xml version="1.0" encoding="UTF-8"?>\n'

/**
 * An object's members become elements in their order, an array repeats its element, undefined leaves it out, '' is an empty element.
 * A member whose name begins with `@` is an attribute: `{ '@xsi:type': 'CanonicalUser', ID: '…' }`.
 * A member named `*` holds objects whose members stand in its place, one object after another: elements of several names in one order.
 * A `Markup` is what stands between the tags already.
 */
export type XmlValue = string | number | boolean | undefined | Markup | readonly XmlValue[] | { readonly [name: string]: XmlValue }

/** Elements that are written and escaped already: for the thousand entries of a listing, whose objects cost twice as much as their text. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export interface XmlRoot {
  readonly rootName: string
  readonly value: XmlValue
  /** Left out: S3's. */
  readonly namespace?: string
}

/** A whole document, with prolog. */
export function writeXml(root: XmlRoot): string {
  return xmlProlog + xmlRootElement(root)
}

/** The root element alone: for answers whose prolog has been sent. */
export function xmlRootElement({ rootName, value, namespace = s3Namespace }: XmlRoot): string {
  return writeElement(rootName, value, ` xmlns="${escapeXml(namespace)}"`)
}

/** An element without a namespace, as S3 writes `<Error>`. */
export function writeElement(name: string, value: XmlValue, attributes = ''): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return `<${name}${attributes}>${escapeXml(value)}</${name}>`
  if (typeof value !== 'object') return `<${name}${attributes}>${value}</${name}>`
  if (value instanceof Markup) return `<${name}${attributes}>${value.text}</${name}>`
  if (isList(value)) {
    let text = ''
    for (const item of value) text += writeElement(name, item, attributes)
    return text
  }
  let open = attributes
  let inner = ''
  for (const member in value) {
    const content = value[member]
    if (content === undefined) continue
    if (member.startsWith('@')) open += writeAttribute(member.slice(1), content)
    else if (member === '*') inner += writeMixed(content)
    else inner += writeElement(member, content)
  }
  return `<${name}${open}>${inner}</${name}>`
}

function writeMixed(content: XmlValue): string {
  let text = ''
  for (const item of isList(content) ? content : [content]) {
    if (typeof item !== 'object' || isList(item) || item instanceof Markup) continue
    for (const name in item) text += writeElement(name, item[name])
  }
  return text
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value)
}

function writeAttribute(name: string, value: XmlValue): string {
  const declaration = name.startsWith('xsi:') ? ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' : ''
  return `${declaration} ${name}="${escapeXml(String(value))}"`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
const special = /[&<>"'\0-\x1f\x7f-\x9f\ufffe\uffff]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const specials = /[&<>"'\0-\x1f\x7f-\x9f\ufffe\uffff]/g

/**
 * Control characters become numeric references, also those that XML 1.0 cannot carry at all (`&#x1;`): S3 does the same,
 * and clients with such keys ask for encoding-type=url.
 */
export function escapeXml(text: string): string {
  return special.test(text) ? text.replace(specials, reference) : text
}

function reference(character: string): string {
  switch (character) {
    case '&':
      return '&amp;'
    case '<':
      return '&lt;'
    case '>':
      return '&gt;'
    case '"':
      return '&quot;'
    default:
      return `&#x${character.charCodeAt(0).toString(16)};`
  }
}

/** ISO 8601 with milliseconds, as times stand in S3's XML: `toISOString` of years with four digits, in a third of its time. */
export function isoTime(ms: number): string {
  const time = new Date(ms)
  const day = `${time.getUTCFullYear()}-${twoDigits(time.getUTCMonth() + 1)}-${twoDigits(time.getUTCDate())}`
  const clock = `${twoDigits(time.getUTCHours())}:${twoDigits(time.getUTCMinutes())}:${twoDigits(time.getUTCSeconds())}`
  const fraction = time.getUTCMilliseconds()
  return `${day}T${clock}.${fraction < 100 ? '0' : ''}${twoDigits(fraction)}Z`
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : `${value}`
}

/** RFC 1123 with whole seconds, as times stand in headers. */
export function httpTime(ms: number): string {
  return new Date(ms).toUTCString()
}
