/** `farshore regions rejoin`: a region that has stopped is taken back by the one that is home. */
import type { Command } from 'commander'
import { type AdminOptions, addAdminOptions, apisOf } from './admin-api.ts'
import { type CliContext, type ExitCode, exitCodes } from './context.ts'
import { apiOf, given } from './regions-promote.ts'

/** What the region that was asked answers. */
interface Rejoining {
  readonly region: string
  readonly home: string
  readonly alone: readonly string[]
  readonly unlisted: number
  readonly kept: readonly string[]
  readonly isDone: boolean
}

interface RejoinOptions extends AdminOptions {
  readonly discard?: boolean
}

/** A whole state may be fetched. */
const patienceMs = 50_000

export function addRejoin(regions: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  const command = addAdminOptions(
    regions
      .command('rejoin <name>')
      .description(
        'say which names and identities a region that has stopped alone has: what it would lose by following home again; exit code 3 while it has not been taken back',
      )
      .option('--discard', "give those up, take home's names and identities, and follow; its objects stay"),
  ).action(async (name: string) => {
    // `regions` has the same options, and takes those that stand behind `rejoin` as its own.
    const options = { ...command.opts<RejoinOptions>(), ...given(regions), discard: command.opts<RejoinOptions>().discard === true }
    finish(await rejoin(name, options, context))
  })
}

async function rejoin(name: string, options: RejoinOptions, context: CliContext): Promise<ExitCode> {
  const api = await apiOf(name, options, await apisOf(options, context))
  const asked = { discard: options.discard === true }
  const rejoining = await api.send<Rejoining>('POST', '/admin/v1/region/rejoin', asked, patienceMs)
  if (options.json) context.out(JSON.stringify(rejoining))
  else for (const line of linesOf(rejoining)) context.out(line)
  return rejoining.isDone ? exitCodes.ok : exitCodes.notInSync
}

function linesOf({ region, home, alone, unlisted, kept, isDone }: Rejoining): readonly string[] {
  const count = alone.length + unlisted
  const rows = `${count} ${count === 1 ? 'row' : 'rows'}`
  return [
    isDone ? `${region} follows ${home}, and has given up ${rows} of its own:` : `${region} has ${rows} that ${home} has not:`,
    ...alone.map((line) => `  ${line}`),
    ...(unlisted === 0 ? [] : [`  and ${unlisted} more`]),
    ...kept.map(
      (bucket) => `  bucket ${bucket} holds objects: it ${isDone ? 'was told to home and stays' : 'will be told to home, and stays'}`,
    ),
    ...(isDone ? [] : [`With --discard it gives them up and follows ${home}. Make what is missed again at home, before or after.`]),
  ]
}
