/**
 * `npm run rig -- NAME [--minutes M] [--seed N]`: runs a rig in its long form. Without a name it lists them.
 * Exit code 0 when everything held and the control was caught, 1 otherwise.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { rigs } from './rigs.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string' }, seed: { type: 'string' } },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const rig = rigs.find(({ name }) => name === positionals[0])
if (rig === undefined) {
  for (const { name, purpose } of rigs) say(`${name.padEnd(10)} ${purpose}`)
  process.exit(positionals.length === 0 ? 0 : 2)
}
const seed = Number(values.seed ?? randomInt(2 ** 31))
const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
say(`rig ${rig.name}, seed ${seed}`)
const { tried, passed, control, violations, skipped } = await rig.run({ minutes, seed, say })
for (const violation of violations) say(`VIOLATION ${violation}`)
if (skipped !== undefined) say(`!! SKIPPED: ${skipped}`)
else say(`tried ${tried}, passed ${passed}; control (${control.planted}): ${control.isCaught ? 'caught' : 'NOT CAUGHT'}`)
process.exitCode = skipped !== undefined || (violations.length === 0 && tried === passed && control.isCaught) ? 0 : 1
