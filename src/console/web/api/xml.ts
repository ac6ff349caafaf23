/** S3's and IAM's XML, read and written by the browser's own parser. Names are looked up without their namespace. */

export class XmlElement {
  readonly #element: Element

  constructor(element: Element) {
    this.#element = element
  }

  get name(): string {
    return this.#element.localName
  }

  /** The text of a child; undefined when there is none. */
  text(name: string): string | undefined {
    return this.child(name)?.value
  }

  number(name: string): number | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : Number(text)
  }

  get value(): string {
    return this.#element.textContent ?? ''
  }

  child(name: string): XmlElement | undefined {
    return this.all(name)[0]
  }

  /** Children of a name, in their order. */
  all(name: string): readonly XmlElement[] {
    return this.children.filter((child) => child.name === name)
  }

  get children(): readonly XmlElement[] {
    return [...this.#element.children].map((child) => new XmlElement(child))
  }
}

/** @throws Error when the text is no XML */
export function parseXml(text: string): XmlElement {
  const document = new DOMParser().parseFromString(text, 'text/xml')
  if (document.querySelector('parsererror') !== null) throw new Error('The answer is no XML.')
  return new XmlElement(document.documentElement)
}

export type XmlNode = string | number | boolean | undefined | readonly XmlNode[] | { readonly [name: string]: XmlNode }

/** An object as XML: a list repeats its element, undefined leaves it out. */
export function toXml(name: string, node: XmlNode): string {
  if (node === undefined) return ''
  if (Array.isArray(node)) return node.map((one: XmlNode) => toXml(name, one)).join('')
  if (typeof node === 'object')
    return `<${name}>${Object.entries(node)
      .map(([child, value]) => toXml(child, value))
      .join('')}</${name}>`
  return `<${name}>${escaped(String(node))}</${name}>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`)
}
