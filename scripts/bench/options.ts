/** What the benchmark is asked to do. */
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Credentials } from './sign.ts'

export interface BenchOptions {
  /** Another server, or undefined for a region of our own. */
  readonly endpoint: { readonly url: string; readonly credentials: Credentials; readonly pid: number | undefined } | undefined
  /** Where a folder for our own region is made, and where the disk is measured. */
  readonly data: string
  /** A commit of ours to be measured beside, pair by pair. */
  readonly against: string | undefined
  readonly json: string | undefined
  readonly profile: string | undefined
  readonly only: RegExp
  readonly rounds: number
  /** Of one case in one round; operations that have begun are waited for. */
  readonly roundMs: number
  readonly warmUpMs: number
  readonly diskMiB: number
}

export class UsageError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>

export const usage = `npm run bench -- [--quick] [--rounds N] [--seconds S] [--only PATTERN] [--json FILE] [--data DIR] [--profile DIR]
                 [--against REVISION]
                 [--endpoint URL [--pid N]]   with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION`

/** @throws UsageError */
export function benchOptions(args: readonly string[], environment: Environment): BenchOptions {
  const values = parsed(args)
  const { quick } = values
  if (values.endpoint === undefined && values.pid !== undefined) throw new UsageError('--pid belongs to --endpoint.')
  if (values.endpoint !== undefined && values.profile !== undefined) throw new UsageError('--profile needs a region of our own.')
  if (values.endpoint !== undefined && values.against !== undefined) throw new UsageError('--against needs a region of our own.')
  return {
    against: values.against,
    endpoint: values.endpoint === undefined ? undefined : endpointOf(values.endpoint, values.pid, environment),
    data: resolve(values.data ?? tmpdir()),
    json: values.json,
    profile: values.profile === undefined ? undefined : resolve(values.profile),
    only: patternOf(values.only ?? ''),
    rounds: positive('--rounds', values.rounds ?? (quick ? '1' : '3')),
    roundMs: 1000 * positive('--seconds', values.seconds ?? (quick ? '0.5' : '2')),
    warmUpMs: quick ? 200 : 1000,
    diskMiB: quick ? 64 : 512,
  }
}

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        endpoint: { type: 'string' },
        against: { type: 'string' },
        pid: { type: 'string' },
        data: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
        only: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean', default: false },
      },
    })
    return values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function endpointOf(url: string, pid: string | undefined, environment: Environment): NonNullable<BenchOptions['endpoint']> {
  if (!URL.canParse(url) || !url.startsWith('http')) throw new UsageError(`--endpoint ${url} is no address.`)
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_DEFAULT_REGION } = environment
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw new UsageError('--endpoint needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.')
  }
  const credentials = {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN || undefined,
    region: AWS_REGION || AWS_DEFAULT_REGION || 'us-east-1',
  }
  return { url: new URL(url).origin, credentials, pid: pid === undefined ? undefined : positive('--pid', pid) }
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch {
    throw new UsageError(`--only ${text} is no pattern.`)
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new UsageError(`${name} ${text} is no positive number.`)
  return value
}
