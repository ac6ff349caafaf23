/** An address that signs the operator in to the console of a running deployment. */
import { type AdminOptions, apisOf } from './admin-api.ts'

const timeoutMs = 2_000

/**
 * The token stands behind `#`, which no browser sends and no server logs.
 * @param console  of the first region. @returns undefined when the region makes none: the keys do as well
 */
export async function signInLink(console: string, { data }: Pick<AdminOptions, 'data'>): Promise<string | undefined> {
  try {
    const [api] = await apisOf({ data }, { environment: {} })
    const made = await api?.send<{ readonly token: string }>('POST', '/admin/v1/console/link', undefined, timeoutMs)
    return made && `${console}/sign-in#${made.token}`
  } catch {
    return undefined
  }
}
