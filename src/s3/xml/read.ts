/**
 * Reads the XML that S3's clients send: elements, attributes, text, CDATA, comments, character references. Nothing else.
 * fast-xml-parser makes the tree. It also takes much that is not XML, so a strict scan comes first: a DOCTYPE, a processing instruction,
 * what is unclosed, crossed or over a limit never reaches it. Scan and parser each take one pass.
 */
import { XMLParser } from 'fast-xml-parser'
import { S3Error } from '../../model/errors.ts'

/** S3's own documents are at most 7 deep. */
const depthMax = 20
/** Elements, comments and CDATA. DeleteObjects: 1000 objects of at most 5 elements. CompleteMultipartUpload: 10,000 parts of at most 8. */
const nodesMax = 200_000
/** Of one element; S3 uses 3, namespaces included. It bounds what the pattern of a tag has to remember. */
const attributesMax = 64
/** Characters of one tag, comment or piece of text; a key of 1024 bytes takes 10,240 in references. The parser needs 40 bytes for each. */
const tokenMax = 65_536

export interface XmlElement {
  /** Without its namespace prefix. */
  readonly name: string
  /** By name without prefix; namespace declarations are left out. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** The text of the element itself, white space kept, references decoded. */
  readonly text: string
}

const space = '[ \\t\\r\\n]'
// S3's names are ASCII. Others are refused: what XML takes for a letter may be white space to the parser (U+1680).
const name = '[A-Za-z_][\\w.-]*(?::[A-Za-z_][\\w.-]*)?'
const value = `${space}*=${space}*(?:"[^"<]*"|'[^'<]*')`
/** Groups: name, attributes, slash. */
const startTag = `<(${name})((?:${space}+${name}${value}){0,${attributesMax}})${space}*(/?)>`
/** The same three, and the name in an end tag. Comments, CDATA and text have none. */
const token = new RegExp(`${startTag}|</(${name})${space}*>|<!--[\\s\\S]*?-->|<!\\[CDATA\\[[\\s\\S]*?\\]\\]>|[^<]+`, 'y')
const attribute = new RegExp(`(${name})${value}`, 'g')
/** What may stand outside the root element: a comment, white space. */
const besideRoot = /^(?:<!--|[ \t\r\n]+$)/
// What XML 1.0 forbids even as it stands; as a numeric reference S3 takes it, since keys may hold it.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to refuse
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/

const parser = new XMLParser({
  preserveOrder: true,
  removeNSPrefix: true,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  // Kept apart from text: no reference is decoded in CDATA or across a comment.
  cdataPropName: '#cdata',
  commentPropName: '#comment',
  // No key is then a property that every object has. The name of an empty element comes here twice.
  transformTagName: (tagName) => (tagName.startsWith('<') ? tagName : `<${tagName}`),
  jPath: false,
})

/**
 * @param bytes UTF-8, with or without a byte order mark; the caller limits its size
 * @throws S3Error MalformedXML
 */
export function readXml(bytes: Uint8Array): XmlElement {
  try {
    const document = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (forbidden.test(document)) throw new Error('a character that XML does not allow')
    const source = document.replace(/^<\?xml[ \t\r\n][\s\S]*?\?>/, '')
    scan(source)
    const [root] = contentOf(parser.parse(source)).children
    if (root === undefined) throw new Error('there is no element')
    return root
  } catch (cause) {
    throw new S3Error('MalformedXML', { cause })
  }
}

/** Refuses what is not one well-formed element within the limits. References are left to `decode`. */
function scan(source: string): void {
  const open: string[] = []
  let nodes = 0
  let hasRoot = false
  for (let at = 0; at < source.length; at = token.lastIndex) {
    const [whole, start, , slash, end] = tokenAt(source, at)
    const mayStandHere = open.length > 0 || besideRoot.test(whole) || (start !== undefined && !hasRoot)
    if (!mayStandHere) throw new Error('more than one root element')
    if (end === undefined && whole.startsWith('<')) nodes += 1
    if (nodes > nodesMax) throw new Error(`more than ${nodesMax} nodes`)
    if (end !== undefined && open.pop() !== end) throw new Error(`</${end}> ends another element`)
    if (start === undefined) continue
    hasRoot = true
    if (open.length >= depthMax) throw new Error(`nested deeper than ${depthMax}`)
    if (slash === '') open.push(start)
  }
  if (open.length > 0) throw new Error('it ends too early')
}

function tokenAt(source: string, at: number): RegExpExecArray {
  token.lastIndex = at
  const found = token.exec(source)
  if (found === null) throw new Error(`neither text nor markup at ${at}`)
  const [whole, , attributes] = found
  if (whole.length > tokenMax) throw new Error(`more than ${tokenMax} characters at ${at}`)
  if (whole.startsWith('<!--') && whole.indexOf('--', 4) !== whole.length - 3) throw new Error('"--" in a comment')
  if (!whole.startsWith('<') && whole.includes(']]>')) throw new Error('"]]>" in text')
  if (attributes) refuseRepeated(attributes)
  return found
}

function refuseRepeated(attributes: string): void {
  const names = Array.from(attributes.matchAll(attribute), ([, attributeName]) => attributeName)
  if (new Set(names).size !== names.length) throw new Error('a repeated attribute')
}

/** What the parser makes of text, CDATA, a comment, or an element: one key, which begins with `<`, and its attributes. */
interface Node {
  readonly '#text'?: string
  readonly '#cdata'?: readonly [{ readonly '#text': string }]
  readonly ':@'?: Readonly<Record<string, string>>
  readonly [element: `<${string}`]: readonly Node[]
}

function contentOf(nodes: readonly Node[]): Pick<XmlElement, 'children' | 'text'> {
  const children: XmlElement[] = []
  let text = ''
  for (const node of nodes) {
    const key = Object.keys(node)[0]
    if (key === '#text') text += decode(node[key] ?? '')
    else if (key === '#cdata') text += node[key]?.[0]['#text']
    else if (isElement(key)) children.push({ name: key.slice(1), attributes: attributesOf(node), ...contentOf(node[key] ?? []) })
  }
  return { children, text }
}

function isElement(key: string | undefined): key is `<${string}` {
  return key?.startsWith('<') === true
}

function attributesOf({ ':@': attributes = {} }: Node): ReadonlyMap<string, string> {
  return new Map(Object.entries(attributes).map(([key, raw]) => [key.slice(1), decode(raw.replace(/[\t\n]/g, ' '))]))
}

const characters: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function decode(text: string): string {
  return text.replace(/&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));|&/g, (_all, named, decimal, hex) => {
    if (named !== undefined) return characters[named] ?? ''
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    if (!(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) throw new Error('an unknown entity')
    return String.fromCodePoint(code)
  })
}
