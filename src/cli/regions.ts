/** `farshore regions`: who is there, who keeps the control log, and who is how far behind. */
import type { Command } from 'commander'
import { type AdminOptions, addAdminOptions, apisOf, askAll, standingPatienceMs } from './admin-api.ts'
import { type CliContext, type ExitCode, exitCodes } from './context.ts'
import { addPromote } from './regions-promote.ts'
import { addRejoin } from './regions-rejoin.ts'

/** What a region answers of itself. */
interface RegionStanding {
  readonly region: string
  readonly home: string | null
  readonly epoch: number
  readonly rows: number
  readonly homeRows: number | null
  readonly stopped: string | null
  readonly state: { readonly rows: number; readonly digest: string }
  readonly links: readonly {
    readonly region: string
    readonly isReachable: boolean
    readonly awaySince: string | null
    readonly why: string | null
  }[]
}

interface Reported extends RegionStanding {
  /** Behind home, as it says itself or was last heard by this region; null when nobody knows. */
  readonly rowsBehind: number | null
  /** A region with other names or identities than this one's, after the same row; null when there is none. */
  readonly differsFrom: string | null
}

export function addRegions(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  const command = addAdminOptions(
    program
      .command('regions')
      .description(
        'say which regions answer, and how far each is with the log of bucket names and identities; exit code 1 when one does not answer, 3 when one is behind, stopped, or does not reach another',
      ),
  ).action(async (options: AdminOptions) => finish(await regions(options, context)))
  addPromote(command, context, finish)
  addRejoin(command, context, finish)
}

async function regions(options: AdminOptions, context: CliContext): Promise<ExitCode> {
  const { answers, silent } = await askAll(await apisOf(options, context), (api) =>
    api.get<RegionStanding>('/admin/v1/region', standingPatienceMs),
  )
  const reported = answers.map((answer) => ({
    ...answer,
    rowsBehind: rowsBehind(answer, answers),
    differsFrom: differsFrom(answer, answers),
  }))
  if (options.json) context.out(JSON.stringify({ regions: reported, silent: silent.map(({ region }) => region) }))
  else for (const line of reported.flatMap((one) => linesOf(one, answers))) context.out(line)
  for (const { message } of silent) context.err(`farshore: ${message}`)
  if (silent.length > 0) return exitCodes.failed
  return reported.every(isWell) ? exitCodes.ok : exitCodes.notInSync
}

function rowsBehind({ home, rows, homeRows }: RegionStanding, all: readonly RegionStanding[]): number | null {
  const known = all.find(({ region }) => region === home)?.rows ?? homeRows
  return known === null ? null : Math.max(0, known - rows)
}

function differsFrom({ state }: RegionStanding, all: readonly RegionStanding[]): string | null {
  return all.find((other) => other.state.rows === state.rows && other.state.digest !== state.digest)?.region ?? null
}

function isWell({ stopped, rowsBehind, differsFrom, links }: Reported): boolean {
  return stopped === null && differsFrom === null && rowsBehind === 0 && links.every(({ isReachable }) => isReachable)
}

function linesOf(
  { region, home, epoch, rows, rowsBehind, stopped, differsFrom, links }: Reported,
  all: readonly RegionStanding[],
): readonly string[] {
  const keeps = region === home ? 'home' : `follows ${home ?? 'nobody yet'}`
  const distance = rowsBehind === null ? 'home was not heard yet' : rowsBehind === 0 ? 'up to date' : `${rowsBehind} rows behind`
  // What home has by now, nobody knows who has not asked it.
  const isAsked = rowsBehind === null || all.some((one) => one.region === home)
  const behind = isAsked ? distance : `${distance} when ${home} was last heard`
  const away = links
    .filter(({ isReachable }) => !isReachable)
    .map((link) => `  does not reach ${link.region} since ${link.awaySince}: ${link.why}`)
  return [
    `${region}: ${keeps}, epoch ${epoch}, ${rows} rows, ${behind}`,
    ...(stopped === null ? [] : [`  stopped: ${stopped}`]),
    ...(differsFrom === null ? [] : [`  has other bucket names or identities than ${differsFrom} after the same row`]),
    ...away,
  ]
}
