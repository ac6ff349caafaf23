/** What a signature is checked against: the head of a request exactly as it came over the wire. */
export interface RequestHead {
  readonly method: string
  /** The path as sent, still percent-encoded, without the query. */
  readonly rawPath: string
  /** What follows the first `?`, still percent-encoded; '' when there is none. */
  readonly rawQuery: string
  /** Node's lower-case names. Values are latin1: one character a byte. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Name, value, name, value … with repetitions, as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[]
}

/** The value of a header that is sent once; repetitions are joined with a comma, so that no format here accepts them. */
export function headerOf(head: Pick<RequestHead, 'headers'>, name: string): string | undefined {
  const value = Object.hasOwn(head.headers, name) ? head.headers[name] : undefined
  return Array.isArray(value) ? value.join(',') : value
}
