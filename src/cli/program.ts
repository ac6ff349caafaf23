/** The command line: argv in, an exit code out. Every command is one file that adds itself. */
import { Command, CommanderError } from 'commander'
import { addAccount } from './account.ts'
import { addCheck } from './check.ts'
import { addConfig } from './config.ts'
import { type CliContext, type ExitCode, exitCodes, UsageError } from './context.ts'
import { failureOf } from './failure.ts'
import { addLifecycle } from './lifecycle.ts'
import { addRegions } from './regions.ts'
import { addReplication } from './replication.ts'
import { addServer } from './server.ts'
import { addUp } from './up.ts'

/** Adds a command. Its action answers with the exit code through `finish`. */
type AddCommand = (program: Command, context: CliContext, finish: (code: ExitCode) => void) => void

const helpWidth = 110
const commands: readonly AddCommand[] = [addUp, addServer, addRegions, addAccount, addReplication, addLifecycle, addCheck, addConfig]

/** Never throws: whatever goes wrong is one sentence on stderr. @param argv  without node and script */
export async function runCli(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok
  const program = createProgram(context, (finished) => {
    code = finished
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    return exitCodeOf(error, context)
  }
}

/** @param finish  takes the exit code of the command that ran */
export function createProgram(context: CliContext, finish: (code: ExitCode) => void): Command {
  const program = new Command('farshore')
    .description('S3-compatible object storage with trustworthy replication between regions')
    .version(context.version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => context.out(text.trimEnd()),
      writeErr: (text) => context.err(text.trimEnd()),
      // Said by whoever decides the exit code.
      outputError: () => undefined,
      // The same on every terminal, and in the generated page.
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  for (const add of commands) add(program, context, finish)
  return program
}

function exitCodeOf(error: unknown, context: CliContext): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok
    // Without a command commander has shown the help; there is nothing to add.
    if (error.code !== 'commander.help') context.err(`farshore: ${failureOf(error).message}`)
    return exitCodes.usage
  }
  context.err(`farshore: ${failureOf(error).message}`)
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed
}
