/**
 * Typed shapes for the XML of requests: each turns an element into a value, or says MalformedXML.
 * An element that a shape does not name is refused: nothing is accepted and ignored.
 */
import { S3Error, type S3ErrorCode } from '../../model/errors.ts'
import { xmlBodyMaxBytes } from '../../model/limits.ts'
import { readXml, type XmlElement } from './read.ts'

/** Something that a struct takes from its element: children of one name, or an attribute. */
export interface Field<out T> {
  /** The names of children that it takes; empty for an attribute. */
  readonly takes: 'child' | 'attribute'
  take(parent: XmlElement, name: string, children: readonly XmlElement[]): T
}

/** One element. As a field of a struct it must be there exactly once. */
export interface Shape<out T> extends Field<T> {
  decode(element: XmlElement): T
}

/** The value that a shape or a field gives. */
export type Decoded<F> = F extends Field<infer T> ? T : never

/** A whole body: the name of its root element and its limit. */
export interface XmlDocument<out T> {
  readonly rootName: string
  readonly maxBytes: number
  decode(bytes: Uint8Array): T
}

/**
 * @param options.maxBytes for DeleteObjects, CompleteMultipartUpload and replication configurations: `xmlListBodyMaxBytes`
 * @throws S3Error MalformedXML, also for another root element
 */
export function document<T>(rootName: string, content: Shape<T>, options: { readonly maxBytes?: number } = {}): XmlDocument<T> {
  return {
    rootName,
    maxBytes: options.maxBytes ?? xmlBodyMaxBytes,
    decode(bytes) {
      const root = readXml(bytes)
      if (root.name !== rootName) throw new S3Error('MalformedXML')
      return content.decode(root)
    },
  }
}

function shape<T>(decode: (element: XmlElement) => T): Shape<T> {
  return {
    takes: 'child',
    decode,
    take(_parent, _name, children) {
      const [only, second] = children
      if (only === undefined || second !== undefined) throw new S3Error('MalformedXML')
      return decode(only)
    },
  }
}

/** An element whose children and attributes are these and no others, in any order. Attributes that are not named are ignored. */
export function struct<const F extends Readonly<Record<string, Field<unknown>>>>(
  fields: F,
): Shape<{ readonly [N in keyof F]: Decoded<F[N]> }> {
  const named = Object.entries(fields)
  return shape((element) => {
    const groups = groupByName(element, fields)
    const entries = named.map(([name, field]) => [name, field.take(element, name, groups.get(name) ?? [])] as const)
    // The names and values are those of `fields` one by one; Object.fromEntries cannot express it.
    return Object.fromEntries(entries) as { [N in keyof F]: Decoded<F[N]> }
  })
}

function groupByName(element: XmlElement, fields: Readonly<Record<string, Field<unknown>>>): ReadonlyMap<string, XmlElement[]> {
  if (element.text.trim() !== '') throw new S3Error('MalformedXML')
  const groups = new Map<string, XmlElement[]>()
  for (const child of element.children) {
    const group = groups.get(child.name)
    if (group !== undefined) group.push(child)
    else if (Object.hasOwn(fields, child.name) && fields[child.name]?.takes === 'child') groups.set(child.name, [child])
    else throw new S3Error('MalformedXML')
  }
  return groups
}

/** At most once; undefined when the element is absent. */
export function optional<T>(inner: Shape<T>): Field<T | undefined> {
  return { takes: 'child', take: (parent, name, children) => (children.length === 0 ? undefined : inner.take(parent, name, children)) }
}

/** Repeated elements, without an element around them. */
export function list<T>(inner: Shape<T>, limits: { readonly min?: number; readonly max: number }): Field<readonly T[]> {
  return {
    takes: 'child',
    take(_parent, _name, children) {
      if (children.length < (limits.min ?? 0) || children.length > limits.max) throw new S3Error('MalformedXML')
      return children.map((child) => inner.decode(child))
    },
  }
}

/** An attribute of the struct's own element, by its name without prefix (`type` for xsi:type). */
export function attribute(localName: string): Field<string | undefined> {
  return { takes: 'attribute', take: (parent) => parent.attributes.get(localName) }
}

/** Text as it stands: white space is kept, '' is an empty element. */
export function text(): Shape<string> {
  return shape(leafText)
}

/** A decimal integer between min and max, both inclusive. */
export function int(limits: { readonly min?: number; readonly max?: number; readonly code?: S3ErrorCode } = {}): Shape<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER, code = 'MalformedXML' } = limits
  return shape((element) => {
    const digits = leafText(element).trim()
    const value = /^[+-]?[0-9]{1,16}$/.test(digits) ? Number(digits) : Number.NaN
    if (!(value >= min && value <= max)) throw new S3Error(code)
    return value
  })
}

/** xs:boolean, in any case as S3 takes it. */
export function bool(): Shape<boolean> {
  return shape((element) => {
    const value = leafText(element).trim().toLowerCase()
    if (value === 'true' || value === '1') return true
    if (value === 'false' || value === '0') return false
    throw new S3Error('MalformedXML')
  })
}

/** Whatever the element holds: for what is recognised, and refused by whoever asks. */
export function anything(): Shape<true> {
  return shape(() => true)
}

/** One of these words, exactly. */
export function enumOf<const V extends readonly string[]>(values: V, code: S3ErrorCode = 'MalformedXML'): Shape<V[number]> {
  return shape((element) => {
    const value = leafText(element).trim()
    if (!values.includes(value)) throw new S3Error(code)
    return value
  })
}

/** An ISO 8601 time, as milliseconds since 1970. */
export function timestamp(): Shape<number> {
  return shape((element) => {
    const value = leafText(element).trim()
    const ms = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$/.test(value) ? Date.parse(value) : Number.NaN
    if (Number.isNaN(ms)) throw new S3Error('MalformedXML')
    return ms
  })
}

function leafText(element: XmlElement): string {
  if (element.children.length > 0) throw new S3Error('MalformedXML')
  return element.text
}
