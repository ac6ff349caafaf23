/** Routes as S3's reference writes them: `PUT /{Bucket}/{Key+}?partNumber&uploadId [x-amz-copy-source]`. */

/** What the address names. */
export type RouteShape = 'service' | 'bucket' | 'object'

export interface Route {
  /** As it was written. */
  readonly text: string
  readonly method: string
  readonly shape: RouteShape
  /** Query parameters that must be there, with the value they must have where it matters. */
  readonly query: ReadonlyMap<string, string | undefined>
  /** Headers that must be there, lower-case. */
  readonly headers: readonly string[]
}

const paths: ReadonlyMap<string, RouteShape> = new Map([
  ['/', 'service'],
  ['/{Bucket}', 'bucket'],
  ['/{Bucket}/{Key+}', 'object'],
])

/** @throws Error for a route that is not of this form */
export function parseRoute(text: string): Route {
  const found = /^(?<method>[A-Z]+) (?<path>\/[^? ]*)(?:\?(?<query>[^ ]+))?(?: \[(?<headers>[^\]]+)\])?$/.exec(text)
  const { method, path, query, headers } = found?.groups ?? {}
  const shape = path === undefined ? undefined : paths.get(path)
  if (method === undefined || shape === undefined) throw new Error(`not a route: ${text}`)
  return { text, method, shape, query: parseConditions(query), headers: headers?.split(' ') ?? [] }
}

function parseConditions(query: string | undefined): ReadonlyMap<string, string | undefined> {
  const pairs = query?.split('&').map((pair) => {
    const [name = '', value] = pair.split('=')
    return [name, value] as const
  })
  return new Map(pairs)
}

/** The same for two routes exactly if every request that matches one matches the other as well. */
export function routeIdentity({ method, shape, query, headers }: Route): string {
  const conditions = [...query].map(([name, value]) => (value === undefined ? name : `${name}=${value}`)).sort()
  return [method, shape, conditions.join('&'), [...headers].sort().join(' ')].join(' ')
}

/** How narrow a route is: among those that match, the narrowest wins. What the query names goes before what a header implies. */
export function routeWeight({ query, headers }: Route): number {
  return 2 * query.size + headers.length
}
