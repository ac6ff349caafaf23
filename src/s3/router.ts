/** Finds the operation that a request asks for: by method, what the address names, query and headers; never by the order of a list. */
import type { IncomingHttpHeaders } from 'node:http'
import { S3Error } from '../model/errors.ts'
import type { Operation } from './define.ts'
import { type KnownOperation, knownOperations } from './known-operations.ts'
import type { QueryString } from './query-string.ts'
import { type Route, type RouteShape, routeIdentity, routeWeight } from './route.ts'

export interface Routable {
  readonly method: string
  readonly shape: RouteShape
  readonly query: QueryString
  readonly headers: IncomingHttpHeaders
}

interface Entry extends KnownOperation {
  readonly weight: number
  /** undefined: S3 has it and we do not. */
  readonly operation: Operation | undefined
}

export class Router {
  /** By method and shape, the narrowest first. */
  readonly #entries = new Map<string, readonly Entry[]>()
  /** Query parameters that choose an operation: one that the chosen operation does not know is never ignored. */
  readonly #subResources = new Set<string>()

  /** @throws Error when two operations have one name or one route */
  constructor(operations: readonly Operation[]) {
    const served = operations.map((operation) => entryOf(operation, operation))
    refuseEqual(served)
    const isServed = new Set(operations.flatMap(({ name, route }) => [name, routeIdentity(route)]))
    const unserved = knownOperations().filter(({ name, route }) => !isServed.has(name) && !isServed.has(routeIdentity(route)))
    for (const entry of [...served, ...unserved.map((known) => entryOf(known, undefined))]) this.#add(entry)
  }

  #add(entry: Entry): void {
    const place = placeOf(entry.route)
    const entries = [...(this.#entries.get(place) ?? []), entry]
    this.#entries.set(
      place,
      entries.sort((a, b) => b.weight - a.weight),
    )
    // `id` only tells one configuration of several; elsewhere it means nothing.
    for (const name of entry.route.query.keys()) if (name !== 'id') this.#subResources.add(name)
  }

  /** @throws S3Error MethodNotAllowed | NotImplemented | InvalidArgument (sub-resources that do not go together) */
  match(request: Routable): Operation {
    const entries = this.#entries.get(placeOf(request)) ?? []
    const matching = entries.filter(({ route }) => matches(route, request))
    const [best, second] = matching
    if (best === undefined) throw methodNotAllowed(request)
    if (second?.weight === best.weight) throw conflicting(best.route, second.route)
    this.#refuseLeftover(request, best, entries)
    if (best.operation === undefined) throw notImplemented(best.name)
    return best.operation
  }

  /** A sub-resource that the match knows nothing of: `DELETE /bucket?acl` must not delete the bucket. */
  #refuseLeftover({ query, method, shape }: Routable, { route, operation }: Entry, entries: readonly Entry[]): void {
    for (const [name, value] of query.entries()) {
      if (route.query.has(name) || operation?.queryNames.has(name)) continue
      if (name === 'versionId' && operation !== undefined) throw invalid(name, value, 'This operation does not accept a version-id.')
      if (!this.#subResources.has(name)) continue
      const isIncomplete = entries.some((entry) => entry.route.query.has(name))
      if (isIncomplete) throw invalid(name, value, `This operation does not accept the query parameter ${name} as it is given.`)
      throw methodNotAllowed({ method, shape }, name)
    }
  }
}

function entryOf({ name, route }: KnownOperation, operation: Operation | undefined): Entry {
  return { name, route, operation, weight: routeWeight(route) }
}

function placeOf({ method, shape }: { readonly method: string; readonly shape: RouteShape }): string {
  return `${method} ${shape}`
}

function refuseEqual(entries: readonly Entry[]): void {
  const seen = new Set<string>()
  for (const { name, route } of entries) {
    for (const mark of [name, routeIdentity(route)]) {
      if (seen.has(mark)) throw new Error(`two operations share ${mark}`)
      seen.add(mark)
    }
  }
}

function matches(route: Route, { query, headers }: Routable): boolean {
  for (const [name, value] of route.query) {
    if (!query.has(name) || (value !== undefined && query.get(name) !== value)) return false
  }
  return route.headers.every((name) => headers[name] !== undefined)
}

function methodNotAllowed({ method, shape }: Pick<Routable, 'method' | 'shape'>, subResource?: string): S3Error {
  const resourceType = (subResource ?? shape).toUpperCase()
  return new S3Error('MethodNotAllowed', { details: { Method: method, ResourceType: resourceType } })
}

function notImplemented(name: string): S3Error {
  return new S3Error('NotImplemented', { message: `The operation ${name} is not implemented.`, details: { Operation: name } })
}

function conflicting(a: Route, b: Route): S3Error {
  const names = [...new Set([...a.query.keys(), ...b.query.keys()])].sort()
  return invalid('ResourceType', names[0] ?? '', `Conflicting query string parameters: ${names.join(', ')}`)
}

function invalid(name: string, value: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, details: { ArgumentName: name, ArgumentValue: value } })
}
