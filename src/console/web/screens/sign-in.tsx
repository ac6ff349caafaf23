/** Signing in, with an access key or by a link that is good for one time. */
import { KeyRound } from 'lucide-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/http.ts'
import { useSessionState } from '../api/session.tsx'
import { useRouter } from '../lib/router.tsx'
import { Button, TextField } from '../ui/controls.tsx'
import { Card, ErrorNote } from '../ui/parts.tsx'
import styles from './sign-in.module.css'

export function SignIn({ why }: { readonly why: string | undefined }) {
  const { signIn } = useSessionState()
  const { path, go } = useRouter()
  const [error, setError] = useState<Error>()
  const [isBusy, setBusy] = useState(false)

  const enter = async (how: Parameters<typeof signIn>[0]): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      await signIn(how)
      if (path === '/sign-in') go('/', { replace: true })
    } catch (refused) {
      setError(refused instanceof Error ? refused : new Error(String(refused)))
    } finally {
      setBusy(false)
    }
  }
  useLink((link) => void enter({ link }))

  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const sessionToken = String(form.get('token') ?? '').trim()
    void enter({
      accessKeyId: String(form.get('id') ?? '').trim(),
      secretAccessKey: String(form.get('secret') ?? '').trim(),
      ...(sessionToken === '' ? {} : { sessionToken }),
    })
  }
  return (
    <main className={styles.ground}>
      <Card className={styles.card ?? ''}>
        <img src={new URL('../icon.svg', import.meta.url).href} alt="" width={48} height={48} />
        <h1>Farshore</h1>
        <p className={styles.about}>What is written in one region stands in the other.</p>
        {why !== undefined && error === undefined && <p role="status">{why}</p>}
        {error !== undefined && <ErrorNote error={inWords(error)} />}
        <form className={styles.form} onSubmit={submit}>
          <TextField label="Access key" name="id" autoComplete="username" required autoFocus spellCheck={false} />
          <TextField label="Secret key" name="secret" type="password" autoComplete="current-password" required />
          <details>
            <summary>I have temporary credentials</summary>
            <TextField label="Session token" name="token" autoComplete="off" spellCheck={false} />
          </details>
          <Button kind="primary" type="submit" isBusy={isBusy}>
            <KeyRound size={18} aria-hidden />
            Sign in
          </Button>
        </form>
        <p className={styles.about}>
          <code>farshore up</code> prints a link that signs you in, and where the keys are kept.
        </p>
      </Card>
    </main>
  )
}

/** The token stands behind the `#`, which no server sees; it is taken out of the address before it is used. */
function useLink(enter: (token: string) => void): void {
  const isTaken = useRef(false)
  useEffect(() => {
    const token = location.hash.slice(1)
    if (location.pathname !== '/sign-in' || token === '' || isTaken.current) return
    isTaken.current = true
    history.replaceState(null, '', '/sign-in')
    enter(token)
  })
}

function inWords(error: Error): Error {
  if (!(error instanceof ApiError)) return error
  const { status, code, requestId } = error
  const messages: Readonly<Record<string, string>> = {
    InvalidAccessKeyId: 'There is no such access key.',
    SignatureDoesNotMatch: 'The secret key does not belong to this access key.',
  }
  return new ApiError({ status, code, requestId, message: messages[code] ?? error.message })
}
