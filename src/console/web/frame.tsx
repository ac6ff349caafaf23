/** What stands around every screen: where one can go, who one is. */
import { ArrowRightLeft, Boxes, LogOut, Moon, Ship, Sun, SunMoon } from 'lucide-react'
import type { ReactNode } from 'react'
import { useSession, useSessionState } from './api/session.tsx'
import styles from './frame.module.css'
import { Link, useRouter } from './lib/router.tsx'
import { type Theme, useTheme } from './lib/theme.tsx'
import { Button } from './ui/controls.tsx'

const places = [
  { href: '/', name: 'Overview', Icon: Ship },
  { href: '/replication', name: 'Replication', Icon: ArrowRightLeft },
  { href: '/buckets', name: 'Buckets', Icon: Boxes },
] as const

export function Frame({ children }: { readonly children: ReactNode }) {
  const { path } = useRouter()
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#content">
        Skip to the content
      </a>
      <header className={styles.bar}>
        <Link href="/" className={styles.brand}>
          <img src={new URL('./icon.svg', import.meta.url).href} alt="" width={28} height={28} />
          Farshore
        </Link>
        <nav aria-label="Screens" className={styles.places}>
          {places.map(({ href, name, Icon }) => (
            <Link key={href} href={href} aria-current={isWithin(path, href) ? 'page' : undefined}>
              <Icon size={18} aria-hidden />
              {name}
            </Link>
          ))}
        </nav>
        <Who />
      </header>
      <main id="content" className={styles.content}>
        {children}
      </main>
    </div>
  )
}

function isWithin(path: string, place: string): boolean {
  return place === '/' ? path === '/' : path === place || path.startsWith(`${place}/`)
}

const nextTheme: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' }
const themeIcons = { system: SunMoon, light: Sun, dark: Moon } as const

function Who() {
  const { caller } = useSession()
  const { signOut } = useSessionState()
  const { theme, setTheme } = useTheme()
  const ThemeIcon = themeIcons[theme]
  return (
    <div className={styles.who}>
      <span className={styles.name} title={caller.arn}>
        {nameOf(caller.arn)}
      </span>
      <Button kind="quiet" aria-label={`Colours: ${theme}. Change to ${nextTheme[theme]}`} onClick={() => setTheme(nextTheme[theme])}>
        <ThemeIcon size={18} aria-hidden />
      </Button>
      <Button kind="quiet" aria-label="Sign out" onClick={() => void signOut()}>
        <LogOut size={18} aria-hidden />
      </Button>
    </div>
  )
}

/** `arn:aws:iam::123456789012:user/team/anna` → `user/team/anna`. */
function nameOf(arn: string): string {
  return arn.split(':').slice(5).join(':')
}
