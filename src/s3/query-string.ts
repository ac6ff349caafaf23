/** The query of a request: decoded once, kept in order, its names never properties of an object. */
import { S3Error } from '../model/errors.ts'

export class QueryString {
  readonly #values = new Map<string, string>()
  readonly #repeated = new Set<string>()

  /**
   * @param raw what stands behind `?`, as sent
   * @throws S3Error InvalidURI for an ill-formed escape
   */
  constructor(raw: string) {
    if (raw === '') return
    for (const pair of raw.split('&')) {
      if (pair === '') continue
      const equals = pair.indexOf('=')
      const name = decodeComponent(equals === -1 ? pair : pair.slice(0, equals))
      const value = equals === -1 ? '' : decodeComponent(pair.slice(equals + 1))
      if (this.#values.has(name)) this.#repeated.add(name)
      else this.#values.set(name, value)
    }
  }

  /** The first value of a parameter; '' when it has none. */
  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  isRepeated(name: string): boolean {
    return this.#repeated.has(name)
  }

  names(): Iterable<string> {
    return this.#values.keys()
  }

  entries(): Iterable<[string, string]> {
    return this.#values.entries()
  }
}

/** In a query, unlike in a path, `+` is a space. A character above U+007F is a raw byte of the request line, as node gives it. */
function decodeComponent(raw: string): string {
  if (!/[%+\x80-\xff]/.test(raw)) return raw
  const escaped = raw.replaceAll('+', ' ').replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`)
  try {
    return decodeURIComponent(escaped)
  } catch (cause) {
    throw new S3Error('InvalidURI', { cause })
  }
}
