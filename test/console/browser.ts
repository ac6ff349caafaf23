/** What a browser does of the console: it keeps the cookie, shows the token, and says where a request comes from. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { openPair, type Pair, type PairRegion, rootKey } from '../support/regions-pair.ts'

/** NOTE: the SDK writes into the key that it is given. */
export const root = { accessKeyId: rootKey.accessKeyId, secretAccessKey: rootKey.secretAccessKey } as const

export interface Seen {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer | ReadableStream
  readonly signal?: AbortSignal
}

export interface Described {
  readonly caller: { readonly accountId: string; readonly arn: string; readonly userId: string; readonly isOperator: boolean }
  readonly csrfToken: string
  readonly self: string
  readonly home: string | null
  readonly regions: readonly { readonly name: string; readonly isSelf: boolean; readonly s3: string; readonly isReachable: boolean }[]
}

export class Browser {
  readonly origin: string
  cookie: string | undefined
  csrfToken: string | undefined

  constructor({ adminUrl }: Pick<PairRegion, 'adminUrl'>) {
    this.origin = adminUrl
  }

  /** As the console's page asks; headers given go before those. */
  async fetch(path: string, { method = 'GET', headers = {}, ...more }: Asking = {}): Promise<Response> {
    const answer = await fetch(this.origin + path, {
      method,
      redirect: 'manual',
      headers: {
        'sec-fetch-site': 'same-origin',
        ...(this.cookie === undefined ? {} : { cookie: this.cookie }),
        ...(this.csrfToken === undefined || method === 'GET' || method === 'HEAD' ? {} : { 'x-csrf-token': this.csrfToken }),
        ...headers,
      },
      ...more,
    })
    const set = answer.headers.get('set-cookie')
    if (set !== null) this.cookie = set.includes('Max-Age=0') ? undefined : set.split(';')[0]
    return answer
  }

  async ask(path: string, asking: Asking = {}): Promise<Seen> {
    const answer = await this.fetch(path, asking)
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }

  async post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
    return await this.ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  }

  /** @throws Error with the answer when it is refused */
  async signIn(how: object = root): Promise<Described> {
    const seen = await this.post('/api/session', how)
    if (seen.status !== 200) throw new Error(`${seen.status} ${seen.text}`)
    const described = JSON.parse(seen.text) as Described
    this.csrfToken = described.csrfToken
    return described
  }
}

export interface ConsolePair extends Pair {
  /** All that both regions have logged. */
  readonly log: () => string
  readonly folder: string
}

export const page = '<!doctype html><meta name="style-nonce" content="__NONCE__"><title>console</title>'

/** Two regions with a small application in their consoles. */
export async function openConsolePair(): Promise<ConsolePair> {
  const home = await mkdtemp(join(tmpdir(), 'farshore-console-'))
  const folder = join(home, 'built')
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(folder, 'index.html'), page)
  await writeFile(join(folder, 'assets', 'main-1a2b.js'), 'export {}')
  await writeFile(join(home, 'secret.js'), 'not for you')
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const pair = await openPair(undefined, {}, { consoleFolder: folder, log })
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  return { ...pair, folder, log: () => lines.join('') }
}
