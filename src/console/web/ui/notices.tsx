/** Short messages that come and go: what was done, and what was not. */
import { Toast } from 'radix-ui'
import { createContext, type ReactNode, useCallback, useContext, useState } from 'react'
import styles from './notices.module.css'

interface Notice {
  readonly id: number
  readonly tone: 'good' | 'bad'
  readonly text: string
}

const shownMax = 4
const Context = createContext<(tone: Notice['tone'], text: string) => void>(() => undefined)

export function Notices({ children }: { readonly children: ReactNode }) {
  const [notices, setNotices] = useState<readonly Notice[]>([])
  const notify = useCallback((tone: Notice['tone'], text: string) => {
    setNotices((now) => [...now, { id: (now.at(-1)?.id ?? 0) + 1, tone, text }].slice(-shownMax))
  }, [])
  return (
    <Context value={notify}>
      <Toast.Provider label="Notice" duration={6000}>
        {children}
        {notices.map(({ id, tone, text }) => (
          <Toast.Root
            key={id}
            className={`${styles.notice} ${styles[tone]}`}
            type={tone === 'bad' ? 'foreground' : 'background'}
            onOpenChange={(isOpen) => !isOpen && setNotices((now) => now.filter((one) => one.id !== id))}
          >
            <Toast.Title>{text}</Toast.Title>
            <Toast.Close className={styles.close} aria-label="Close">
              ×
            </Toast.Close>
          </Toast.Root>
        ))}
        <Toast.Viewport className={styles.viewport} />
      </Toast.Provider>
    </Context>
  )
}

/** For what has just been done, or was refused. */
export function useNotify() {
  return useContext(Context)
}
