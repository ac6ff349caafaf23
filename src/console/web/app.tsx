/** Which screen an address shows. Screens are loaded when somebody goes there. */
import { type ComponentType, lazy, Suspense } from 'react'
import { useSessionState } from './api/session.tsx'
import { Frame } from './frame.tsx'
import { matchPath, useRouter } from './lib/router.tsx'
import { NotFound } from './screens/not-found.tsx'
import { SignIn } from './screens/sign-in.tsx'
import { Waiting } from './ui/parts.tsx'

type Params = Readonly<Record<string, string>>

/** Address → screen, the first that matches. A screen takes what stands in its address as properties. */
const screens: readonly (readonly [pattern: string, screen: ComponentType<Params>])[] = [
  ['/', lazy(() => import('./screens/overview.tsx'))],
  ['/replication', lazy(() => import('./screens/rules.tsx'))],
  ['/replication/new', lazy(() => import('./screens/wizard/wizard.tsx'))],
  ['/buckets', lazy(() => import('./screens/buckets.tsx'))],
  ['/buckets/:bucket', lazy(() => import('./screens/objects/objects.tsx'))],
  ['/object/:region/:bucket/*objectKey', lazy(() => import('./screens/object/object.tsx'))],
]

export function App() {
  const { state } = useSessionState()
  const { path } = useRouter()
  if (state.kind === 'asking') return <Waiting what="Looking who is there" />
  if (state.kind === 'out' || path === '/sign-in') return <SignIn why={state.kind === 'out' ? state.why : undefined} />
  return (
    <Frame>
      <Suspense fallback={<Waiting what="Loading" />}>
        <Screen path={path} />
      </Suspense>
    </Frame>
  )
}

function Screen({ path }: { readonly path: string }) {
  for (const [pattern, Shown] of screens) {
    const params = matchPath(pattern, path)
    if (params !== undefined) return <Shown {...params} />
  }
  return <NotFound />
}
