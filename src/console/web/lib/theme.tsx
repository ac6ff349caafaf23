/** Light or dark: as the system says, until somebody says otherwise. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'

export type Theme = 'system' | 'light' | 'dark'
const themes: readonly Theme[] = ['system', 'light', 'dark']
/** Only this choice is kept in the browser. */
const storageKey = 'farshore-theme'

const Context = createContext<{ readonly theme: Theme; setTheme(theme: Theme): void }>({ theme: 'system', setTheme: () => undefined })

export function ThemeProvider({ children }: { readonly children: ReactNode }) {
  const [theme, setTheme] = useState<Theme>(() => themes.find((one) => one === localStorage.getItem(storageKey)) ?? 'system')
  useEffect(() => {
    localStorage.setItem(storageKey, theme)
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
  }, [theme])
  const value = useMemo(() => ({ theme, setTheme }), [theme])
  return <Context value={value}>{children}</Context>
}

export function useTheme() {
  return useContext(Context)
}
