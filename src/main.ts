/** The process: arguments, streams and the exit code. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runCli } from './cli/program.ts'
import { processEnvironment } from './config/load.ts'
import { systemClock } from './lib/clock.ts'

/** Runs the command in `process.argv`, and leaves its exit code for when nothing is left to do. */
export async function main(): Promise<void> {
  // A reader that goes away (`| head -1`) ends no server.
  process.stdout.on('error', () => undefined)
  process.stderr.on('error', () => undefined)
  process.exitCode = await runCli(process.argv.slice(2), {
    environment: processEnvironment(),
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    entry: fileURLToPath(new URL('../bin/farshore.js', import.meta.url)),
    version: versionOf(new URL('../package.json', import.meta.url)),
    // Loaded when a region starts: the other commands answer at once.
    startRegion: async (config, deps) => (await import('./app.ts')).startRegion(config, deps),
    checkRegion: async (target, signal) => (await import('./check/check-region.ts')).checkRegion(target, { clock: systemClock, signal }),
  })
}

function versionOf(file: URL): string {
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return typeof content === 'object' && content !== null && 'version' in content ? String(content.version) : 'unknown'
}
