/** Which of the console's addresses a request is for. Pure: it looks at the bytes as they came, and decodes nothing that is passed on. */
import { Refusal } from './refusal.ts'

export type Route =
  | { readonly to: 'session' }
  | { readonly to: 'presign' }
  /** `rawPath` begins with `/`, and is passed on as it is. */
  | { readonly to: 's3'; readonly region: string; readonly rawPath: string; readonly rawQuery: string }
  | { readonly to: 'iam' | 'sts'; readonly region: string }
  | { readonly to: 'admin'; readonly region: string; readonly rawPath: string; readonly rawQuery: string }
  | { readonly to: 'preview'; readonly region: string; readonly rawPath: string; readonly versionId: string | undefined }
  | { readonly to: 'asset'; readonly name: string }
  /** The application finds its own way from here. */
  | { readonly to: 'page' }

/** @throws Refusal for an address below `/api/` or `/preview/` that is none */
export function routeOf(url: string): Route {
  // Of a proxy's form (`GET http://elsewhere/…`) nothing is taken.
  if (!url.startsWith('/')) throw new Refusal(400, 'InvalidURI', 'The address must begin with a slash.')
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const rawQuery = mark === -1 ? '' : url.slice(mark + 1)
  if (path.startsWith('/api/')) return apiRoute(path.slice('/api/'.length), rawQuery)
  if (path.startsWith('/preview/')) return previewRoute(path.slice('/preview/'.length), rawQuery)
  if (path.startsWith('/assets/')) return { to: 'asset', name: path.slice('/assets/'.length) }
  return { to: 'page' }
}

function apiRoute(path: string, rawQuery: string): Route {
  if (path === 'session' || path === 'presign') return { to: path }
  const [, kind, region, rest = ''] = /^(s3|iam|sts|admin)\/([a-z0-9-]{1,32})(\/.*)?$/s.exec(path) ?? []
  if (region === undefined) throw nothingHere()
  switch (kind) {
    case 'iam':
    case 'sts':
      if (rest !== '') throw nothingHere()
      return { to: kind, region }
    case 's3':
      return { to: 's3', region, rawPath: s3Path(rest === '' ? '/' : rest), rawQuery }
    case 'admin':
      return { to: 'admin', region, rawPath: adminPath(rest), rawQuery }
    default:
      throw nothingHere()
  }
}

function previewRoute(path: string, rawQuery: string): Route {
  const [, region, rawPath] = /^([a-z0-9-]{1,32})(\/[^/]+\/.+)$/s.exec(path) ?? []
  if (region === undefined || rawPath === undefined) throw nothingHere()
  const versionId = new URLSearchParams(rawQuery).get('versionId') ?? undefined
  return { to: 'preview', region, rawPath: s3Path(rawPath), versionId }
}

/** Beside buckets, whose names begin with no underscore, stands what regions say to each other: nobody speaks there through the console. */
function s3Path(rawPath: string): string {
  if (/^\/+(_|%5f)/i.test(rawPath)) throw nothingHere()
  return rawPath
}

/** The admin API has plain words in its paths, and no way upwards. */
function adminPath(rest: string): string {
  if (!/^(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$/.test(rest)) throw nothingHere()
  return `/admin/v1${rest}`
}

function nothingHere(): Refusal {
  return new Refusal(404, 'NotFound', 'There is nothing at this address.')
}
