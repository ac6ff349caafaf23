/** What screens are put together from. */
import { CircleAlert, LoaderCircle } from 'lucide-react'
import type { ReactNode } from 'react'
import { ApiError } from '../api/http.ts'
import controls from './controls.module.css'
import styles from './parts.module.css'

export function Card({ children, className = '' }: { readonly children: ReactNode; readonly className?: string }) {
  return <section className={`${styles.card} ${className}`}>{children}</section>
}

export type Tone = 'good' | 'wait' | 'bad' | 'plain'

export function Badge({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ReactNode }) {
  return <span className={`${styles.badge} ${tone === 'plain' ? '' : styles[tone]}`}>{children}</span>
}

/** The head of a screen: its name, and what can be done there. */
export function Head({ title, children }: { readonly title: ReactNode; readonly children?: ReactNode }) {
  return (
    <header className={styles.head}>
      <h1>{title}</h1>
      {children}
    </header>
  )
}

/** An empty list says how to fill it. */
export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className={styles.empty}>
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** What was refused, and by whom. */
export function ErrorNote({ error }: { readonly error: Error }) {
  const code = error instanceof ApiError ? error.code : undefined
  const requestId = error instanceof ApiError ? error.requestId : undefined
  return (
    <div role="alert" className={`${styles.note} ${styles.bad}`}>
      <CircleAlert size={20} aria-hidden />
      <div>
        <p>{error.message}</p>
        {code !== undefined && (
          <p>
            <code>{code}</code>
            {requestId !== undefined && <> · request {requestId}</>}
          </p>
        )}
      </div>
    </div>
  )
}

export function Waiting({ what }: { readonly what: string }) {
  return (
    <p role="status" className={styles.empty}>
      <LoaderCircle className={controls.spin} aria-hidden />
      <span>{what}</span>
    </p>
  )
}

export function Table({ head, children }: { readonly head: readonly string[]; readonly children: ReactNode }) {
  return (
    <div className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
