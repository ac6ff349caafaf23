/** Damages segments and files under a running region, one at a time, and reads everything. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client, createBucket } from '../../../test/limits/client.ts'
import { type Region, startRegion } from '../../../test/limits/region.ts'
import { Actor, plainBucket } from '../actor.ts'
import { quickStarts } from '../environment.ts'
import { Ledger } from '../ledger.ts'
import { type DamageKind, damage } from './damage.ts'
import { foundBy } from './found-by.ts'
import { copyOne, type Reader, type Reading, readAll } from './readings.ts'
import { newTally, note, type RotOptions, type RotTally } from './tally.ts'

const KiB = 1024
const kinds: readonly DamageKind[] = ['bit', 'bit', 'bit', 'zeros', 'noise', 'swap', 'cut', 'exchange', 'gone']
const smallSizes = [0, 1, 100, 3000, 4096, 12_000, 70_000, 128 * KiB]
const largeSizes = [129 * KiB, 400 * KiB, 1100 * KiB]

export async function rotBlobs({ folder, rigFolder, random, preload, untilMs, trialsMax }: RotOptions): Promise<RotTally> {
  const tally = newTally()
  const region = await startRegion({
    folder,
    environment: { ...quickStarts(rigFolder), ...(preload === undefined ? {} : { NODE_OPTIONS: `--import=${preload}` }) },
  })
  const client = new Client(region.port)
  const ledger = new Ledger(random)
  try {
    await fill(client, ledger)
    const root = join(region.dataFolder, 'blobs')
    const files = ['segments', 'files'].map((name) => filesBelow(join(root, name)))
    for (let trial = 0; trial < trialsMax && performance.now() < untilMs && region.isAlive(); trial++) {
      const path = random.pick(files[trial % files.length] ?? [])
      const other = random.pick(files.flat().filter((one) => one !== path))
      const { what, undo } = damage({ kind: random.pick(kinds), path, other, random })
      const told = await readingsOf({ client, ledger, random })
      undo()
      const toldAfter = await readAll({ client, ledger, random })
      note(tally, {
        violations: [...violationsIn(what, told), ...violationsAfter(what, toldAfter), ...(region.isAlive() ? [] : [died(what, region)])],
        finder: await foundBy([{ name: 'read', finds: () => told.some(({ reading }) => reading === 'refused') }]),
      })
    }
  } finally {
    await client.close()
    await region.kill()
  }
  return tally
}

/** Every other one encrypted. */
async function fill(client: Client, ledger: Ledger): Promise<void> {
  await createBucket(client, plainBucket)
  const actor = new Actor({ client, ledger, position: () => 0 })
  for (const [i, size] of [...smallSizes, ...largeSizes].entries()) {
    await actor.put(`plain-${i}`, size)
    await actor.put(`sealed-${i}`, size, { isEncrypted: true })
  }
  await actor.multipart('parts', [5 * KiB * KiB, 3000])
}

interface Told {
  readonly key: string
  readonly reading: Reading
}

async function readingsOf(reader: Reader): Promise<readonly Told[]> {
  const { client, ledger, random } = reader
  const read = await readAll(reader)
  const refused = read.filter(({ reading }) => reading === 'refused').map(({ key }) => key)
  const source = ledger.cells.find(({ key }) => key === refused[0]) ?? random.pick(ledger.cells)
  return [...read, { key: `a copy of ${source.key}`, reading: await copyOne(client, ledger, source) }]
}

function violationsIn(what: string, told: readonly Told[]): readonly string[] {
  return told
    .filter(({ reading }) => reading !== 'right' && reading !== 'refused')
    .map(({ key, reading }) => `${what}: ${key} was answered ${reading}`)
}

function violationsAfter(what: string, told: readonly Told[]): readonly string[] {
  return told.filter(({ reading }) => reading !== 'right').map(({ key, reading }) => `${what}, and undone: ${key} was answered ${reading}`)
}

function died(what: string, region: Region): string {
  return `${what}: the region ended: ${region.log().slice(-2000)}`
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
