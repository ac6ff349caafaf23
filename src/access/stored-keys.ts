/** Credentials that stand in rows: keys of users and roots, and sessions of those who were issued one. */
import type { Metadata } from '../metadata/engine.ts'
import { documentOfPolicy, holderOfKey, holderOfSession, type KeyHolder, type SessionHolder } from '../metadata/tables/held-policies.ts'
import type { KeySealing } from './access-keys.ts'
import type { Credential } from './credentials.ts'
import { principalOfKey, principalOfSession } from './holders.ts'
import type { OpenedSession, SessionIssuer, Sessions } from './session-tokens.ts'

export interface StoredKeysParts {
  readonly metadata: Pick<Metadata, 'remembered'>
  readonly sealing: KeySealing
  readonly sessions: Sessions
}

/** Sessions that are kept opened; beyond, the one that was opened first is opened anew at its next request. */
const openedMax = 1_000
/** Whatever else a client calls its key was made by nobody: no row is asked for. */
const storedKeyId = /^AKIA[A-Z2-7]{16}$/
const sessionKeyId = /^ASIA[A-Z2-7]{16}$/

/** Asked by every request: what hardly changes is remembered, and made ready once for each state of its rows. */
export class StoredKeys {
  readonly #parts: StoredKeysParts
  readonly #holderOfKey: (accessKeyId: string) => Promise<KeyHolder | undefined>
  readonly #holderOfSession: (issuer: string) => Promise<SessionHolder | undefined>
  readonly #documentOfPolicy: (arn: string) => Promise<string>
  /** By the answer that was remembered: another state of the rows is another answer. */
  readonly #ready = new WeakMap<KeyHolder, Credential | 'unreadable'>()
  readonly #opened = new Map<string, OpenedKey>()

  constructor(parts: StoredKeysParts) {
    this.#parts = parts
    this.#holderOfKey = parts.metadata.remembered(holderOfKey)
    this.#holderOfSession = parts.metadata.remembered(holderOfSession)
    this.#documentOfPolicy = parts.metadata.remembered(documentOfPolicy)
  }

  /** Undefined for a key that is nobody's, that is inactive, or whose account is disabled. */
  async findKey(accessKeyId: string): Promise<Credential | undefined> {
    if (!storedKeyId.test(accessKeyId)) return undefined
    const holder = await this.#holderOfKey(accessKeyId)
    if (holder?.key.status !== 'Active' || holder.account.status !== 'active') return undefined
    const ready = this.#ready.get(holder) ?? this.#makeReady(holder)
    return ready === 'unreadable' ? undefined : ready
  }

  /** Undefined for a token that was not issued here, or whose issuer is gone: deleted, made anew, or of a disabled account. */
  async findSession(accessKeyId: string, sessionToken: string): Promise<Credential | undefined> {
    if (!sessionKeyId.test(accessKeyId)) return undefined
    const opened = this.#open(accessKeyId, sessionToken)
    if (opened === undefined) return undefined
    const { session, secretAccessKey } = opened
    const holder = await this.#holderOfSession(issuerName(session.issuer))
    if (holder?.account.status !== 'active' || (holder.identity?.id ?? holder.account.accountId) !== session.issuer.id) return undefined
    const narrowing = await Promise.all(session.policyArns.map((arn) => this.#documentOfPolicy(arn)))
    const { last } = opened
    if (last !== undefined && last.holder === holder && narrowing.every((document, i) => document === last.narrowing[i]))
      return last.credential
    const caller = principalOfSession({ accessKeyId, session, holder, narrowing })
    const credential: Credential = { secretAccessKey, sessionToken, expiresMs: session.expiresMs, caller }
    opened.last = { holder, narrowing, credential }
    return credential
  }

  #makeReady(holder: KeyHolder): Credential | 'unreadable' {
    const secretAccessKey = this.#parts.sealing.open(holder.key)
    const credential = secretAccessKey === undefined ? 'unreadable' : { secretAccessKey, caller: principalOfKey(holder) }
    this.#ready.set(holder, credential)
    return credential
  }

  #open(accessKeyId: string, sessionToken: string): OpenedKey | undefined {
    const name = `${accessKeyId}:${sessionToken}`
    const known = this.#opened.get(name)
    if (known !== undefined) return known
    const opened = this.#parts.sessions.openSession({ accessKeyId, sessionToken })
    if (opened === undefined) return undefined
    const key: OpenedKey = { ...opened, last: undefined }
    this.#opened.set(name, key)
    const oldest = this.#opened.keys().next()
    if (this.#opened.size > openedMax && oldest.done !== true) this.#opened.delete(oldest.value)
    return key
  }
}

interface OpenedKey {
  readonly session: OpenedSession
  readonly secretAccessKey: string
  /** What it came to, for the rows as they stood then. */
  last: { readonly holder: SessionHolder; readonly narrowing: readonly string[]; readonly credential: Credential } | undefined
}

/** As `holderOfSession` takes it. A federated session's issuer is the user or the root that made it. */
function issuerName({ kind, accountId, name }: SessionIssuer): string {
  if (name === undefined) return accountId
  return `${accountId}/${kind === 'role' ? 'role' : 'user'}/${name}`
}
