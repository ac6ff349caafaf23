/** The keys of an issuer of web identities, found as OpenID Connect Discovery says, and kept for a while. */
import type { JsonWebKeyInput } from 'node:crypto'

export interface OidcIssuer {
  /** As it stands in `iss`: `https://host/path`. */
  readonly issuer: string
  /** Values of `aud` that are taken. */
  readonly audiences: readonly string[]
}

export type IssuerKey = JsonWebKeyInput['key'] & { readonly kid?: string; readonly use?: string; readonly alg?: string }

const keptMs = 10 * 60 * 1000
/** An unknown key id makes the keys be asked for anew, but not more often than this: anybody can make one up. */
const askedAnewMs = 30 * 1000
const timeoutMs = 5000
const answerMaxBytes = 256 * 1024
const keysMax = 100

export class IssuerKeys {
  readonly #issuer: string
  #known: { readonly keys: readonly IssuerKey[]; readonly atMs: number } | undefined
  #asking: Promise<readonly IssuerKey[]> | undefined
  #failedMs = Number.NEGATIVE_INFINITY

  constructor({ issuer }: Pick<OidcIssuer, 'issuer'>) {
    this.#issuer = issuer
  }

  /** Undefined: the issuer has no such key. @throws Error when it cannot be reached or makes no sense */
  async find(kid: string, nowMs: number): Promise<IssuerKey | undefined> {
    const known = this.#known
    const found = known?.keys.find((key) => key.kid === kid)
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : nowMs - known.atMs
    if (ageMs < (found === undefined ? askedAnewMs : keptMs)) return found
    return (await this.#ask(nowMs)).find((key) => key.kid === kid)
  }

  async #ask(nowMs: number): Promise<readonly IssuerKey[]> {
    if (nowMs - this.#failedMs < timeoutMs) throw new Error('the issuer could not be reached a moment ago')
    this.#asking ??= this.#fetchKeys().finally(() => {
      this.#asking = undefined
    })
    try {
      const keys = await this.#asking
      this.#known = { keys, atMs: nowMs }
      return keys
    } catch (error) {
      this.#failedMs = nowMs
      throw error
    }
  }

  async #fetchKeys(): Promise<readonly IssuerKey[]> {
    const discovered = await fetchJson(`${this.#issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
    const { issuer, jwks_uri: keysUrl } = discovered
    if (issuer !== this.#issuer || typeof keysUrl !== 'string') throw new Error('the discovery document is not of this issuer')
    const { protocol, origin } = new URL(keysUrl)
    if (protocol !== 'https:' && origin !== new URL(this.#issuer).origin) throw new Error('the keys are not at an https address')
    const { keys } = await fetchJson(keysUrl)
    if (!Array.isArray(keys) || keys.length > keysMax) throw new Error('the issuer gives no list of keys')
    return keys.filter((key): key is IssuerKey => typeof key === 'object' && key !== null)
  }
}

async function fetchJson(url: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs), headers: { accept: 'application/json' } })
  if (!answer.ok || answer.body === null) throw new Error(`the issuer answered ${answer.status}`)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body) {
    size += chunk.length
    if (size > answerMaxBytes) throw new Error('the answer of the issuer is too long')
    chunks.push(chunk)
  }
  const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('the issuer gives no object')
  return { ...value }
}
