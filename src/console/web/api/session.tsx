/** Who is signed in, and to which regions. The keys stay with the console's server. */
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react'
import { Api, ApiError, sessionEnded } from './http.ts'

export interface Region {
  readonly name: string
  readonly isSelf: boolean
  /** Where clients reach it. */
  readonly s3: string
  readonly isReachable: boolean
  readonly roundTripMs: number | null
}

export interface Session {
  readonly caller: { readonly accountId: string; readonly arn: string; readonly userId: string; readonly isOperator: boolean }
  readonly csrfToken: string
  readonly self: string
  readonly home: string | null
  readonly regions: readonly Region[]
}

export type SignIn =
  | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
  | { readonly link: string }

type State =
  | { readonly kind: 'asking' }
  | { readonly kind: 'out'; readonly why?: string }
  | { readonly kind: 'in'; readonly session: Session }

interface SessionContext {
  readonly api: Api
  readonly state: State
  signIn(how: SignIn): Promise<void>
  signOut(): Promise<void>
}

const Context = createContext<SessionContext | undefined>(undefined)

export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const [api] = useState(() => new Api())
  const [state, setState] = useState<State>({ kind: 'asking' })
  const queries = useQueryClient()

  const enter = useCallback(
    (session: Session) => {
      api.useToken(session.csrfToken)
      setState({ kind: 'in', session })
    },
    [api],
  )
  const leave = useCallback(
    (why?: string) => {
      api.useToken(undefined)
      queries.clear()
      setState(why === undefined ? { kind: 'out' } : { kind: 'out', why })
    },
    [api, queries],
  )

  useEffect(() => {
    api.json<Session>('/api/session').then(enter, (error: unknown) => {
      leave(error instanceof ApiError && error.status === 401 ? undefined : String((error as Error).message))
    })
    const onEnd = (): void =>
      setState((now) => (now.kind === 'in' ? { kind: 'out', why: 'The session is over. Please sign in again.' } : now))
    sessionEnded.addEventListener('end', onEnd)
    return () => sessionEnded.removeEventListener('end', onEnd)
  }, [api, enter, leave])

  const value = useMemo<SessionContext>(
    () => ({
      api,
      state,
      async signIn(how) {
        enter(
          await api.json<Session>('/api/session', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(how),
          }),
        )
      },
      async signOut() {
        await api.call('/api/session', { method: 'DELETE' })
        leave()
      },
    }),
    [api, state, enter, leave],
  )
  return <Context value={value}>{children}</Context>
}

export function useSessionState(): SessionContext {
  const context = useContext(Context)
  if (context === undefined) throw new Error('there is no session above')
  return context
}

/** For screens, which are shown to those who are signed in alone. */
export function useSession(): Session & { readonly api: Api } {
  const { api, state } = useSessionState()
  if (state.kind !== 'in') throw new Error('nobody is signed in')
  return { ...state.session, api }
}
