/** The console's first line: styles, the store of answers, the application. */
import './ui/tokens.css'
import './ui/base.css'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { setNonce } from 'get-nonce'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api/http.ts'
import { SessionProvider } from './api/session.tsx'
import { App } from './app.tsx'
import { RouterProvider } from './lib/router.tsx'
import { ThemeProvider } from './lib/theme.tsx'
import { Notices } from './ui/notices.tsx'

/** A refusal stays one when it is asked again; a region that was away may be back. */
function retriesAfter(failures: number, error: Error): boolean {
  return failures < 2 && !(error instanceof ApiError && error.status < 500)
}

const queries = new QueryClient({ defaultOptions: { queries: { retry: retriesAfter, staleTime: 5_000, refetchOnWindowFocus: true } } })
// Dialogs stop the page behind them by a style of their own, which the policy takes with this answer's nonce alone.
setNonce(document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? '')

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no root')

createRoot(root).render(
  <StrictMode>
    <ThemeProvider>
      <QueryClientProvider client={queries}>
        <RouterProvider>
          <Notices>
            <SessionProvider>
              <App />
            </SessionProvider>
          </Notices>
        </RouterProvider>
      </QueryClientProvider>
    </ThemeProvider>
  </StrictMode>,
)
