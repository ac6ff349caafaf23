/** `farshore regions`: who is there, who keeps the control log, and who is how far behind. */
import type { Command } from 'commander'
import { type AdminOptions, addAdminOptions, apisOf, askAll } from './admin-api.ts'
import { type CliContext, type ExitCode, exitCodes } from './context.ts'

/** What a region answers of itself. */
interface RegionStanding {
  readonly region: string
  readonly home: string | null
  readonly epoch: number
  readonly rows: number
  readonly stopped: string | null
  readonly links: readonly {
    readonly region: string
    readonly isReachable: boolean
    readonly awaySince: string | null
    readonly why: string | null
  }[]
}

interface Reported extends RegionStanding {
  /** Behind the newest row that anybody has; null when home does not answer, and nobody knows. */
  readonly rowsBehind: number | null
}

export function addRegions(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  addAdminOptions(
    program
      .command('regions')
      .description('say which regions answer, and how far each is with bucket names and roles; exit code 3 when one is behind'),
  ).action(async (options: AdminOptions) => finish(await regions(options, context)))
}

async function regions(options: AdminOptions, context: CliContext): Promise<ExitCode> {
  const { answers, silent } = await askAll(await apisOf(options, context), (api) => api.get<RegionStanding>('/admin/v1/region'))
  const reported = answers.map((answer) => ({ ...answer, rowsBehind: rowsBehind(answer, answers) }))
  if (options.json) context.out(JSON.stringify({ regions: reported, silent: silent.map(({ region }) => region) }))
  else for (const line of reported.flatMap(linesOf)) context.out(line)
  for (const { message } of silent) context.err(`farshore: ${message}`)
  if (silent.length > 0) return exitCodes.failed
  return reported.every(isWell) ? exitCodes.ok : exitCodes.notInSync
}

/** One region alone knows how far home is only if it is home. */
function rowsBehind({ home, rows }: RegionStanding, all: readonly RegionStanding[]): number | null {
  const answer = all.find(({ region }) => region === home)
  return answer === undefined ? null : Math.max(0, answer.rows - rows)
}

function isWell({ stopped, rowsBehind, links }: Reported): boolean {
  return stopped === null && rowsBehind === 0 && links.every(({ isReachable }) => isReachable)
}

function linesOf({ region, home, epoch, rows, rowsBehind, stopped, links }: Reported): readonly string[] {
  const keeps = region === home ? 'home' : `follows ${home ?? 'nobody yet'}`
  const behind = rowsBehind === null ? 'home does not answer' : rowsBehind === 0 ? 'up to date' : `${rowsBehind} rows behind`
  const away = links
    .filter(({ isReachable }) => !isReachable)
    .map((link) => `  does not reach ${link.region} since ${link.awaySince}: ${link.why}`)
  return [`${region}: ${keeps}, epoch ${epoch}, ${rows} rows, ${behind}`, ...(stopped === null ? [] : [`  stopped: ${stopped}`]), ...away]
}
