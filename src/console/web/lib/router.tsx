/** Where one is, from the address alone: every screen has its URL, and back and forward work. */
import { type AnchorHTMLAttributes, createContext, type MouseEvent, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'

export interface Location {
  readonly path: string
  readonly query: URLSearchParams
}

interface Router extends Location {
  go(to: string, how?: { readonly replace?: boolean }): void
}

const Context = createContext<Router | undefined>(undefined)

export function RouterProvider({ children }: { readonly children: ReactNode }) {
  const [href, setHref] = useState(currentHref)
  useEffect(() => {
    const onPop = (): void => setHref(currentHref())
    addEventListener('popstate', onPop)
    return () => removeEventListener('popstate', onPop)
  }, [])
  const router = useMemo<Router>(() => {
    const url = new URL(href, location.origin)
    return {
      path: url.pathname,
      query: url.searchParams,
      go(to, how) {
        if (how?.replace) history.replaceState(null, '', to)
        else history.pushState(null, '', to)
        setHref(currentHref())
      },
    }
  }, [href])
  return <Context value={router}>{children}</Context>
}

function currentHref(): string {
  return location.pathname + location.search
}

export function useRouter(): Router {
  const router = useContext(Context)
  if (router === undefined) throw new Error('there is no router above')
  return router
}

/** A link within the console. With a modifier key the browser does what it always does. */
export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { readonly href: string }) {
  const { go } = useRouter()
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event)
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(href)
  }
  return <a href={href} onClick={follow} {...rest} />
}

/**
 * Matches `/buckets/:bucket/*rest` against a path. A segment is decoded; `*rest` takes what is left, raw.
 * @returns undefined when it does not match
 */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/').slice(1)
  const given = path.split('/').slice(1)
  const found: Record<string, string> = {}
  for (const [index, segment] of wanted.entries()) {
    if (segment.startsWith('*')) return { ...found, [segment.slice(1)]: given.slice(index).join('/') }
    const value = given[index]
    if (value === undefined) return undefined
    if (segment.startsWith(':')) found[segment.slice(1)] = decodeSegment(value)
    else if (segment !== value) return undefined
  }
  return given.length === wanted.length ? found : undefined
}

/** An address that somebody typed may hold a lone `%`. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** An address from parts that may hold any character. */
export function pathOf(...segments: readonly string[]): string {
  return `/${segments.map(encodeURIComponent).join('/')}`
}
