/** `farshore regions promote`: another region keeps the control log from now on. */
import type { Command } from 'commander'
import { type AdminApi, type AdminOptions, addAdminOptions, apisOf } from './admin-api.ts'
import { type CliContext, type ExitCode, exitCodes, UsageError } from './context.ts'

/** What the region that was asked answers. */
interface Promotion {
  readonly region: string
  readonly epoch: number
  readonly rows: number
  readonly from: string | null
  readonly forced: boolean
  readonly lost: { readonly knownRows: number; readonly what: string } | null
}

interface PromoteOptions extends AdminOptions {
  readonly force?: boolean
}

/** The region waits for the old home, and looks for an outcome that is not known. */
const patienceMs = 45_000

export function addPromote(regions: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  const command = addAdminOptions(
    regions
      .command('promote <name>')
      .description(
        'make this region the home of the log of bucket names and identities; the old home hands over, and is not to write any more',
      )
      .option(
        '--force',
        'without the old home, when it is lost: what it alone has is lost, and it stops if it comes back with such changes',
      ),
  ).action(async (name: string) => {
    // `regions` has the same options, and takes those that stand behind `promote` as its own.
    const options = { ...command.opts<PromoteOptions>(), ...given(regions), force: command.opts<PromoteOptions>().force === true }
    finish(await promote(name, options, context))
  })
}

async function promote(name: string, options: PromoteOptions, context: CliContext): Promise<ExitCode> {
  const api = await apiOf(name, options, await apisOf(options, context))
  const promotion = await api.send<Promotion>('POST', '/admin/v1/region/promote', { force: options.force === true }, patienceMs)
  if (options.json) context.out(JSON.stringify(promotion))
  else for (const line of linesOf(promotion)) context.out(line)
  return exitCodes.ok
}

/** @throws UsageError when the region is not there, or the address is another's */
export async function apiOf(name: string, { endpoint }: AdminOptions, apis: readonly AdminApi[]): Promise<AdminApi> {
  const [only] = apis
  if (endpoint !== undefined && only !== undefined) {
    const { region } = await only.get<{ readonly region: string }>('/admin/v1/region')
    if (region !== name) throw new UsageError(`${endpoint} is the address of region ${region}, and not of ${name}.`)
    return only
  }
  const api = apis.find((candidate) => candidate.name === name)
  if (api === undefined) throw new UsageError(`There is no region ${name} here; there are ${apis.map((each) => each.name).join(', ')}.`)
  return api
}

export function given(command: Command): Partial<AdminOptions> {
  return Object.fromEntries(Object.entries(command.opts()).filter(([option]) => command.getOptionValueSource(option) === 'cli'))
}

function linesOf({ region, epoch, rows, from, forced, lost }: Promotion): readonly string[] {
  if (from === region && !forced) return [`${region} is home already, epoch ${epoch}, ${rows} rows`]
  const before = from === null ? '' : forced ? `, without ${from}` : `; ${from} has handed over`
  if (lost === null) return [`${region} is home, epoch ${epoch}, ${rows} rows${before}`]
  const known = lost.knownRows === 0 ? '' : `lost: ${lost.knownRows} rows that were seen there; `
  return [`${region} is home, epoch ${epoch}, ${rows} rows${before}`, `  ${known}may be lost: ${lost.what}`]
}
