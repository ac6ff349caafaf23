/** `farshore replication`: how replication stands, asked of running regions. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { type AdminApi, type AdminOptions, addAdminOptions, apisOf, askAll, type RegionUnreachable } from './admin-api.ts'
import { type CliContext, type ExitCode, exitCodes } from './context.ts'

interface Options extends AdminOptions {
  readonly wait?: number
}

interface Rule {
  readonly region: string
  readonly bucket: string
  readonly ruleId: string
  readonly destination: { readonly bucket: string; readonly region: string }
  readonly pendingOperations: number
  readonly pendingBytes: number
  readonly oldestPendingAgeMs: number
  readonly failed: number
  readonly lastError: { readonly code: string; readonly message: string; readonly at: string } | null
}

interface FailedObject {
  readonly region: string
  readonly bucket: string
  readonly key: string
  readonly versionId: string
  readonly destination: string
  readonly reason: string
  readonly message: string
  readonly attempts: number
  readonly nextAttemptAt: string
}

const pollMs = 200

export function addReplication(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  const group = program.command('replication').description('say how replication stands')
  addAdminOptions(group.command('status').description('every rule: what is pending, how old it is, what failed'))
    .option('--wait <seconds>', 'wait until nothing is pending; exit code 3 when something still is, or has failed', parseSeconds)
    .action(async (options: Options) => finish(await status(options, context)))
  addAdminOptions(group.command('failed').description('every version that was refused, and why')).action(async (options: Options) =>
    finish(await failed(options, context)),
  )
}

async function status(options: Options, context: CliContext): Promise<ExitCode> {
  const apis = await apisOf(options, context)
  const endMs = Date.now() + (options.wait ?? 0) * 1000
  for (;;) {
    const { answers, silent } = await askAll(apis, (api) => api.get<{ rules: Rule[] }>('/admin/v1/replication'))
    const rules = answers.flatMap((answer) => answer.rules)
    const isDrained = silent.length === 0 && rules.every(({ pendingOperations }) => pendingOperations === 0)
    if (!isDrained && Date.now() < endMs) {
      await delay(pollMs)
      continue
    }
    if (options.json) context.out(JSON.stringify({ rules }))
    else for (const line of ruleLines(rules, silent)) context.out(line)
    for (const { message } of silent) context.err(`farshore: ${message}`)
    if (options.wait !== undefined && !(isDrained && rules.every((rule) => rule.failed === 0))) return exitCodes.notInSync
    return silent.length === 0 ? exitCodes.ok : exitCodes.failed
  }
}

async function failed(options: Options, context: CliContext): Promise<ExitCode> {
  const { answers, silent } = await askAll(await apisOf(options, context), failedAt)
  const objects = answers.flat()
  if (options.json) context.out(JSON.stringify({ objects }))
  else for (const line of failedLines(objects, silent)) context.out(line)
  for (const { message } of silent) context.err(`farshore: ${message}`)
  return silent.length === 0 ? exitCodes.ok : exitCodes.failed
}

async function failedAt(api: AdminApi): Promise<readonly FailedObject[]> {
  const objects: FailedObject[] = []
  for (let next: string | undefined = ''; next !== undefined; ) {
    const query: string = next === '' ? '' : `?after=${next}`
    const page: { objects: FailedObject[]; next?: string } = await api.get(`/admin/v1/replication/failed${query}`)
    objects.push(...page.objects)
    next = page.next
  }
  return objects
}

type Silent = readonly Pick<RegionUnreachable, 'region'>[]

/** A rule, and what it failed with, are known to the region of its source alone. */
function asFarAsKnown(nothing: string, silent: Silent): string {
  if (silent.length === 0) return `${nothing}.`
  const names = silent.map(({ region }) => region).join(', ')
  return `${nothing} in the regions that answer. What there is in ${names} is not known: it does not answer.`
}

function ruleLines(rules: readonly Rule[], silent: Silent): readonly string[] {
  if (rules.length === 0) return [asFarAsKnown('No bucket has a replication rule', silent)]
  return rules.map((rule) => {
    const { pendingOperations, pendingBytes, oldestPendingAgeMs, lastError } = rule
    const pending =
      pendingOperations === 0
        ? 'nothing pending'
        : `${pendingOperations} pending (${pendingBytes} bytes), the oldest for ${Math.ceil(oldestPendingAgeMs / 1000)} s`
    const isMended = pendingOperations === 0 && rule.failed === 0
    const error =
      lastError === null ? '' : `; last error${isMended ? ' (mended)' : ''} ${lastError.at} ${lastError.code}: ${lastError.message}`
    const from = `${rule.bucket} (${rule.region})`
    return `${from} → ${rule.destination.bucket} (${rule.destination.region}), rule ${rule.ruleId}: ${pending}, ${rule.failed} failed${error}`
  })
}

function failedLines(objects: readonly FailedObject[], silent: Silent): readonly string[] {
  if (objects.length === 0) return [asFarAsKnown('Nothing has failed', silent)]
  return objects.map(
    (object) =>
      `${object.bucket}/${object.key} version ${object.versionId} → ${object.destination}: ${object.reason}, ${object.message} ` +
      `(${object.attempts} ${object.attempts === 1 ? 'attempt' : 'attempts'}, next ${object.nextAttemptAt})`,
  )
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0 || seconds > 86_400)
    throw new InvalidArgumentError('It must be 0 to 86400 seconds.')
  return seconds
}
