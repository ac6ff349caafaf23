/** The help of every command, as one page. */
import type { Command } from 'commander'
import { createProgram } from '../../src/cli/program.ts'

export function commandLinePage(): string {
  const program = createProgram(nothing, () => undefined)
  return `${introduction}\n${sectionsOf(program, '').join('\n')}`
}

const introduction = `<!-- Made by npm run generate from src/cli. -->
# The command line

Results go to stdout, words and logs to stderr. Exit codes: 0 done, 1 failed, 2 the command is wrong, 3 not in sync (yet).
`

function sectionsOf(command: Command, above: string): string[] {
  const name = `${above} ${command.name()}`.trim()
  const help = command.helpInformation().trimEnd()
  return [`## ${name}\n\n\`\`\`text\n${help}\n\`\`\`\n`, ...command.commands.flatMap((child) => sectionsOf(child, name))]
}

/** Help needs no world around it. */
const nothing: Parameters<typeof createProgram>[0] = {
  environment: {},
  out: () => undefined,
  err: () => undefined,
  entry: '',
  version: '',
  startRegion: () => Promise.reject(new Error('help starts no region')),
  checkRegion: () => Promise.reject(new Error('help checks no region')),
}
