/** The admin API of running regions: found by their deployment's folder, or by an address. */
import { resolve } from 'node:path'
import aws4 from 'aws4'
import type { Command } from 'commander'
import { openDeployment } from '../config/deployment.ts'
import { type CliContext, UsageError } from './context.ts'

export interface AdminApi {
  /** The region, or the address that was given. */
  readonly name: string
  /** @param path  with its query. @param patience  ms. @throws RegionUnreachable; Error in words for people when the region refuses */
  get<T>(path: string, patience?: number): Promise<T>
  /** @param body  sent as JSON. @param patience  for what takes its time, ms. @throws as `get` */
  send<T>(method: 'POST' | 'DELETE', path: string, body?: object, patience?: number): Promise<T>
}

/** In words for people. */
export class RegionUnreachable extends Error {
  override readonly name = 'RegionUnreachable'
  /** Or the address that was given. */
  readonly region: string

  constructor({
    region,
    origin,
    fault,
  }: { readonly region: string; readonly origin: string; readonly fault: 'away' | 'slow' | 'unknown' }) {
    super(wordsOf(region === origin ? undefined : region, origin, fault))
    this.region = region
  }
}

/** `unknown`: it was to do something, and may have. */
function wordsOf(region: string | undefined, origin: string, fault: 'away' | 'slow' | 'unknown'): string {
  if (fault === 'away') return region === undefined ? `Nothing answers at ${origin}.` : `Region ${region} cannot be reached at ${origin}.`
  const late = `${region === undefined ? 'What listens' : `Region ${region}`} does not answer in time at ${origin}.`
  return fault === 'slow' ? late : `${late} Whether it has done it is not known.`
}

/** Of a command that asks running regions. */
export interface AdminOptions {
  readonly data: string
  readonly endpoint?: string
  readonly json?: boolean
}

export function addAdminOptions(command: Command): Command {
  return command
    .option('--data <dir>', 'the folder that farshore up was given', './farshore-data')
    .option('--endpoint <url>', 'ask the region of this admin address alone, with the credentials of the AWS environment')
    .option('--json', 'answer in JSON')
}

interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const timeoutMs = 10_000
/** A region says where it stands after looking for the others, which takes it two seconds at most. */
export const standingPatienceMs = 5_000

/** @throws ConfigError without a deployment, UsageError without credentials for an address */
export async function apisOf(
  { data, endpoint }: AdminOptions,
  { environment }: Pick<CliContext, 'environment'>,
): Promise<readonly AdminApi[]> {
  if (endpoint !== undefined) {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment
    if (!accessKeyId || !secretAccessKey)
      throw new UsageError('--endpoint needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.')
    if (!URL.canParse(endpoint)) throw new UsageError(`${endpoint} is no address.`)
    const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? 'us-east-1'
    return [adminApi({ name: endpoint, endpoint, region, key: { accessKeyId, secretAccessKey } })]
  }
  const { deployment, credentials } = await openDeployment(resolve(data))
  const key = { accessKeyId: credentials.rootAccessKeyId, secretAccessKey: credentials.rootSecretAccessKey }
  return deployment.regions.map(({ region, console }) => adminApi({ name: region, endpoint: console, region, key }))
}

interface Addressed {
  readonly name: string
  readonly endpoint: string
  readonly region: string
  readonly key: Key
}

function adminApi(of: Addressed): AdminApi {
  return {
    name: of.name,
    get: (path, patience = timeoutMs) => asked(of, { method: 'GET', path, timeoutMs: patience }),
    send: (method, path, body, patience = timeoutMs) =>
      asked(of, { method, path, timeoutMs: patience, ...(body !== undefined && { body: JSON.stringify(body) }) }),
  }
}

interface Asking {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly timeoutMs: number
  readonly body?: string
}

async function asked<T>(of: Addressed, asking: Asking): Promise<T> {
  const url = new URL(asking.path, of.endpoint)
  const { method, body } = asking
  const content = body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }
  const { headers } = aws4.sign(
    { service: 'farshore', region: of.region, method, host: url.host, path: url.pathname + url.search, headers: {}, ...content },
    of.key,
  )
  const response = await answered(of.name, url, { ...asking, headers: headers as Record<string, string> }) // aws4 writes text only
  const said = (await response.json().catch(() => undefined)) as { code?: string; message?: string } | undefined // the admin API answers in JSON
  if (said === undefined)
    throw new Error(`What answers at ${url.origin} is no admin API. It listens one port above S3's, unless configured otherwise.`)
  if (!response.ok) throw new Error(`Region ${of.name} refuses: ${said.code ?? response.status} ${said.message ?? ''}`.trim())
  return said as T // the region is of this version of farshore, or says so with an error
}

async function answered(name: string, url: URL, asking: Asking & { readonly headers: Record<string, string> }): Promise<Response> {
  const { method, body, headers } = asking
  try {
    const signal = AbortSignal.timeout(asking.timeoutMs)
    return await fetch(url, { method, headers, signal, redirect: 'error', ...(body !== undefined && { body }) })
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError'
    throw new RegionUnreachable({ region: name, origin: url.origin, fault: !isLate ? 'away' : method === 'GET' ? 'slow' : 'unknown' })
  }
}

interface Standing {
  readonly region: string
  readonly home: string | null
  readonly epoch: number
  readonly stopped: string | null
}

/**
 * The region to ask for what is the same in all of them: home, or while that is away one that follows it. One that has stopped is passed
 * over, as it knows only how things stood before; `warn` is told of it.
 * @throws Error naming all when none answers, or all of them have stopped
 */
export async function homeOf(apis: readonly AdminApi[], warn: (message: string) => void): Promise<AdminApi> {
  const ask = async (api: AdminApi) => ({ api, standing: await api.get<Standing>('/admin/v1/region', standingPatienceMs) })
  const settled = await Promise.allSettled(apis.map(ask))
  const answers = fulfilled(settled)
  if (answers.length === 0) throw whyNone(settled)
  const running = answers.filter(({ standing }) => standing.stopped === null)
  const isHome = ({ standing }: (typeof answers)[number]): boolean => standing.home === standing.region
  const [home] = running.filter(isHome).toSorted((one, other) => other.standing.epoch - one.standing.epoch)
  const chosen = home ?? running[0]
  const stopped = answers.filter(({ standing }) => standing.stopped !== null)
  const words = stopped.map(({ standing }) => `Region ${standing.region} has stopped: ${standing.stopped}.`)
  if (chosen === undefined) throw new Error(words.join(' '))
  for (const word of words) warn(`${word} Region ${chosen.standing.region} is asked instead.`)
  return chosen.api
}

/** Of all regions: one that is away does not hide what the others say. @throws Error naming all when none answers */
export async function askAll<T>(
  apis: readonly AdminApi[],
  ask: (api: AdminApi) => Promise<T>,
): Promise<{ readonly answers: readonly T[]; readonly silent: readonly RegionUnreachable[] }> {
  const settled = await Promise.allSettled(apis.map(ask))
  const silent = rejected(settled).filter((reason) => reason instanceof RegionUnreachable)
  if (silent.length < rejected(settled).length || silent.length === apis.length) throw whyNone(settled)
  return { answers: fulfilled(settled), silent }
}

function fulfilled<T>(settled: readonly PromiseSettledResult<T>[]): readonly T[] {
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}

function rejected(settled: readonly PromiseSettledResult<unknown>[]): readonly unknown[] {
  return settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
}

/** A refusal says more than silence. */
function whyNone(settled: readonly PromiseSettledResult<unknown>[]): unknown {
  const reasons = rejected(settled)
  const silent = reasons.filter((reason) => reason instanceof RegionUnreachable)
  return reasons.find((reason) => !(reason instanceof RegionUnreachable)) ?? new Error(silent.map(({ message }) => message).join(' '))
}
