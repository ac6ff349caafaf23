/** `farshore lifecycle`: what rules did to old versions, what they leave alone and why, and what they will do next. */
import { type Command, InvalidArgumentError } from 'commander'
import { type AdminApi, type AdminOptions, addAdminOptions, apisOf, askAll } from './admin-api.ts'
import { type CliContext, type ExitCode, exitCodes } from './context.ts'
import { moves } from './lifecycle-moves.ts'

interface Region {
  readonly region: string
  readonly daySeconds: number
  readonly nextPassAt: string
  readonly nextLookAt: string | null
  readonly buckets: readonly Bucket[]
  readonly unlisted: number
}

interface Bucket {
  readonly bucket: string
  readonly state: 'waiting' | 'passing' | 'passed' | 'failed'
  readonly pass: {
    readonly startedAt: string
    readonly endedAt: string | null
    readonly expired: number
    readonly removed: number
    readonly transitioned: number
    readonly aborted: number
    readonly freedBytes: number
    readonly movedBytes: number
  } | null
  readonly held: Readonly<Record<string, number>>
  readonly isMoreHeld: boolean
  readonly failure: { readonly reason: string; readonly nextAttemptAt: string } | null
}

interface Entry {
  readonly key: string
  readonly versionId: string
  readonly action: 'expire' | 'remove' | 'transition' | 'abort'
  readonly storageClass: string | null
  readonly ruleId: string
  readonly bytes: number
  readonly heldBack: string | null
}

interface PreviewOptions extends AdminOptions {
  readonly limit: number
}

interface Preview {
  readonly entries: readonly Entry[]
  readonly next?: string
}

const defaultLimit = 1000
const limitMax = 1_000_000

export function addLifecycle(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  const group = program.command('lifecycle').description('say what lifecycle rules do')
  addAdminOptions(
    group.command('status').description('every bucket with rules: the last pass, what it did, what is held back and why'),
  ).action(async (options: AdminOptions) => finish(await status(options, context)))
  addAdminOptions(
    group.command('moves').description('what is to be moved to a tier, restored, or let go; why it was not yet; and how the tiers stand'),
  ).action(async (options: AdminOptions) => finish(await moves(options, context)))
  addAdminOptions(group.command('preview <bucket>').description('name the versions that will go today, and the bytes; nothing is done'))
    .option('--limit <count>', 'name no more than so many', parseCount, defaultLimit)
    .action(async (bucket: string, options: PreviewOptions) => finish(await preview(bucket, options, context)))
}

async function status(options: AdminOptions, context: CliContext): Promise<ExitCode> {
  const { answers: regions, silent } = await askAll(await apisOf(options, context), (api) => api.get<Region>('/admin/v1/lifecycle'))
  if (options.json) context.out(JSON.stringify({ regions }))
  else for (const line of regions.flatMap(regionLines)) context.out(line)
  for (const { message } of silent) context.err(`farshore: ${message}`)
  return silent.length === 0 ? exitCodes.ok : exitCodes.failed
}

async function preview(bucket: string, options: PreviewOptions, context: CliContext): Promise<ExitCode> {
  const api = await regionOf(bucket, await apisOf(options, context))
  const entries: Entry[] = []
  let next: string | undefined = ''
  while (next !== undefined && entries.length < options.limit) {
    const query: string = `bucket=${encodeURIComponent(bucket)}${next === '' ? '' : `&after=${next}`}`
    const page: Preview = await api.get<Preview>(`/admin/v1/lifecycle/preview?${query}`)
    entries.push(...page.entries)
    next = page.next
  }
  const named = entries.slice(0, options.limit)
  const isMore = next !== undefined || named.length < entries.length
  if (options.json) context.out(JSON.stringify({ bucket, entries: named, totals: totalsOf(named), isMore }))
  else for (const line of previewLines(bucket, named, isMore)) context.out(line)
  return exitCodes.ok
}

/** The region that has rules for the bucket. @throws Error in words when none has */
async function regionOf(bucket: string, apis: readonly AdminApi[]): Promise<AdminApi> {
  const { answers } = await askAll(apis, async (api) => ({ api, region: await api.get<Region>('/admin/v1/lifecycle') }))
  const found = answers.find(({ region }) => region.buckets.some((one) => one.bucket === bucket))
  // One of very many buckets is not listed: its region says so itself.
  const only = answers.length === 1 || answers.some(({ region }) => region.unlisted > 0) ? answers[0] : undefined
  const api = (found ?? only)?.api
  if (api === undefined) throw new Error(`No region that answers has lifecycle rules for a bucket ${bucket}.`)
  return api
}

function regionLines({ region, nextPassAt, nextLookAt, buckets, unlisted }: Region): readonly string[] {
  if (buckets.length === 0) return [`${region}: no bucket has lifecycle rules.`]
  const look = nextLookAt === null ? '' : `; what was put off is looked at ${nextLookAt}`
  return [
    `${region}: the next pass is at ${nextPassAt}${look}`,
    ...buckets.map((bucket) => `  ${bucketLine(bucket)}`),
    ...(unlisted === 0 ? [] : [`  ${unlisted} more buckets`]),
  ]
}

function bucketLine({ bucket, state, pass, held, isMoreHeld, failure }: Bucket): string {
  const when = pass === null ? 'not passed over yet' : `${state}, pass of ${pass.startedAt}`
  const did =
    pass === null
      ? ''
      : `: ${pass.expired} expired, ${pass.removed} removed, ${pass.transitioned} to another class (${pass.movedBytes} bytes), ` +
        `${pass.aborted} uploads aborted, ${pass.freedBytes} bytes freed`
  const reasons = Object.entries(held).map(([reason, count]) => `${count} ${reason}`)
  const heldBack = reasons.length === 0 ? '' : `; held back: ${reasons.join(', ')}${isMoreHeld ? ' and more' : ''}`
  const failed = failure === null ? '' : `; failed: ${failure.reason}, next attempt ${failure.nextAttemptAt}`
  return `${bucket}: ${when}${did}${heldBack}${failed}`
}

function previewLines(bucket: string, entries: readonly Entry[], isMore: boolean): readonly string[] {
  if (entries.length === 0) return [`Nothing in ${bucket} is due today.`]
  const totals = Object.entries(totalsOf(entries)).map(([what, { count, bytes }]) => `${what}: ${count} with ${bytes} bytes`)
  return [...entries.map(entryLine), `${totals.join('; ')}${isMore ? '; there are more' : ''}`]
}

function entryLine({ key, versionId, action, storageClass, ruleId, bytes, heldBack }: Entry): string {
  const what = { expire: 'expires', remove: 'is removed', transition: `moves to ${storageClass}`, abort: 'is aborted' }[action]
  const subject = action === 'abort' ? `${key} upload ${versionId}` : `${key} version ${versionId}`
  return `${subject} ${what}: ${bytes} bytes, rule ${ruleId}${heldBack === null ? '' : `, held back: ${heldBack}`}`
}

function totalsOf(entries: readonly Entry[]): Readonly<Record<string, { readonly count: number; readonly bytes: number }>> {
  const totals: Record<string, { readonly count: number; readonly bytes: number }> = {}
  for (const { action, bytes, heldBack } of entries) {
    const what = heldBack === null ? action : 'held back'
    const so = totals[what] ?? { count: 0, bytes: 0 }
    totals[what] = { count: so.count + 1, bytes: so.bytes + bytes }
  }
  return totals
}

function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > limitMax) throw new InvalidArgumentError(`It must be 1 to ${limitMax}.`)
  return count
}
