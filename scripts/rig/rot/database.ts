/**
 * Damages the database file between two lives of a region, one damage at a time, and looks at what the region then says. It may not hang, crash, or
 * hand out wrong bytes; pages that are lost (zeros, noise, a file cut short) must be found.
 * SQLite keeps no checksum over its pages. So a bit that flips inside a row, and a page written to another's place, can change what is true of
 * an object without anybody seeing it: that is counted here, and not held against the region.
 */
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Client, createBucket } from '../../../test/limits/client.ts'
import { launchRegion, startRegion } from '../../../test/limits/region.ts'
import { Actor, plainBucket } from '../actor.ts'
import { quickStarts } from '../environment.ts'
import { came } from '../eventually.ts'
import { Ledger } from '../ledger.ts'
import { type DamageKind, damage } from './damage.ts'
import { foundBy } from './found-by.ts'
import { listing, type Reader, type Reading, readAll } from './readings.ts'
import { newTally, note, type RotOptions, type RotTally } from './tally.ts'

const kinds: readonly DamageKind[] = ['bit', 'zeros', 'noise', 'swap', 'cut', 'bit']
/** Whoever does not find these is at fault. */
const lostPages: readonly DamageKind[] = ['zeros', 'noise', 'cut']
const decisionMaxMs = 30_000
/** Enough that most pages hold rows. */
const objects = 150
const putsAtOnce = 10

export async function rotDatabase({ folder, rigFolder, random, untilMs, trialsMax }: RotOptions): Promise<RotTally> {
  const tally = newTally()
  const ledger = new Ledger(random)
  const whole = join(folder, 'whole')
  mkdirSync(whole, { recursive: true })
  await fill({ folder: whole, rigFolder, ledger })
  for (let trial = 0; trial < trialsMax && performance.now() < untilMs; trial++) {
    const place = join(folder, 'damaged')
    rmSync(place, { recursive: true, force: true })
    cpSync(whole, place, { recursive: true })
    const path = join(place, 'data', 'metadata', 'metadata.db')
    const kind = kinds[trial % kinds.length] ?? 'bit'
    const { what } = damage({ kind, path, other: path, random })
    const isSound = isSoundTo(path, folder)
    const seen = await live({ folder: place, rigFolder, ledger, random })
    const finder = await foundBy([
      { name: 'start', finds: () => seen.isRefused },
      { name: 'read', finds: () => seen.readings.includes('refused') },
      { name: 'integrity check', finds: () => !isSound },
    ])
    const isUntrue = seen.readings.some((reading) => reading !== 'right' && reading !== 'refused')
    const violations = seen.faults.map((fault) => `${what}: ${fault}`)
    // One bit of a key can turn it into another key, which no look at the row can tell.
    if (seen.readings.includes('wrong') && kind !== 'bit') violations.push(`${what}: a whole answer with wrong bytes`)
    if (isUntrue && finder === undefined && lostPages.includes(kind))
      violations.push(`${what}: untrue answers, and nobody finds the damage`)
    note(tally, { violations, finder: isUntrue ? `${finder ?? 'nobody'}, beside untrue answers` : finder })
  }
  return tally
}

async function fill({ folder, rigFolder, ledger }: Pick<RotOptions, 'folder' | 'rigFolder'> & { readonly ledger: Ledger }): Promise<void> {
  const region = await startRegion({ folder, environment: quickStarts(rigFolder) })
  const client = new Client(region.port)
  try {
    await createBucket(client, plainBucket)
    const actor = new Actor({ client, ledger, position: () => 0 })
    const numbers = Array.from({ length: objects }, (_, n) => n).values()
    await Promise.all(
      Array.from({ length: putsAtOnce }, async () => {
        for (const n of numbers) await actor.put(`object-${n}`, 40 + n, { isEncrypted: n % 2 === 0 })
      }),
    )
    await actor.put('large', 200_000)
  } finally {
    await client.close()
    // In order, so that all is in the database file.
    await region.stop()
  }
}

interface Seen {
  /** It did not start, and said why. */
  readonly isRefused: boolean
  readonly readings: readonly Reading[]
  /** What is held against it. */
  readonly faults: readonly string[]
}

/** One life on a damaged file: start, reads, a write, an end in order. */
async function live({
  folder,
  rigFolder,
  ledger,
  random,
}: Pick<RotOptions, 'folder' | 'rigFolder' | 'random'> & { readonly ledger: Ledger }): Promise<Seen> {
  const { child, output } = launchRegion({ folder, environment: quickStarts(rigFolder) })
  const ended = once(child, 'exit')
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
  if (!(await came(() => isOver() || output.out.includes('\n'), decisionMaxMs))) {
    child.kill('SIGKILL')
    return { isRefused: false, readings: [], faults: ['it neither started nor ended'] }
  }
  if (isOver()) {
    const isClean = child.signalCode === null && output.err !== ''
    return { isRefused: true, readings: [], faults: isClean ? [] : [`it crashed at its start (${child.signalCode}): ${output.err}`] }
  }
  const { s3 } = JSON.parse(output.out) as { s3: string } // the line that `server --json` prints
  const client = new Client(Number(new URL(s3).port))
  const faults: string[] = []
  const readings = [...(await answers({ client, ledger, random }))]
  await client.close()
  if (isOver()) faults.push(`it crashed (${child.exitCode ?? child.signalCode}): ${output.err.slice(-2000)}`)
  child.kill('SIGTERM')
  if (!(await came(isOver, decisionMaxMs))) {
    faults.push('it did not end')
    child.kill('SIGKILL')
  }
  await ended
  if (child.signalCode !== null && faults.length === 0) faults.push(`it ended by ${child.signalCode}`)
  return { isRefused: false, readings, faults }
}

async function answers(reader: Reader): Promise<readonly Reading[]> {
  const { client, ledger } = reader
  const listed = await listing(client, ledger)
  const read = (await readAll(reader)).map(({ reading }) => reading)
  // A write may be refused; it must not bring anything down.
  const key = 'one-more'
  await client.send({ method: 'PUT', bucket: plainBucket, key, body: Buffer.from('x') }).catch(() => undefined)
  return [listed, ...read]
}

/** SQLite's own opinion of the file, asked of a copy. */
function isSoundTo(path: string, folder: string): boolean {
  const copy = join(folder, 'copy.db')
  writeFileSync(copy, readFileSync(path))
  try {
    const database = new Database(copy)
    try {
      return database.pragma('integrity_check', { simple: true }) === 'ok'
    } finally {
      database.close()
    }
  } catch {
    return false
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${copy}${suffix}`, { force: true })
  }
}
