/**
 * Verifies everything that a region keeps: every reference, checksum and counter. Reads beside the region while it runs, or while it does not,
 * and changes nothing.
 *
 * What it compares it reads at one moment, a page or one statement; bytes are read afterwards, and only an unchanged reference is rot. So a busy
 * region gives no false finding.
 */
import { join } from 'node:path'
import { openBlobReader } from '../blobs/open-blob-reader.ts'
import { createKeyring, type Keyring } from '../blobs/seal.ts'
import type { Clock } from '../lib/clock.ts'
import { createHashers } from '../lib/hash.ts'
import { schema } from '../metadata/schema.ts'
import { type MetadataReader, openReader } from '../metadata/sqlite/open-reader.ts'
import {
  blobFaults,
  bucketFaults,
  bucketNames,
  counterFaults,
  moveFaults,
  partsWithoutOwner,
  readyMarkFaults,
  rowCounts,
  tasksWithoutVersion,
} from '../metadata/tables/checks.ts'
import { type ControlRow, controlRowFault, controlRowsAfter } from '../metadata/tables/control.ts'
import { controlBase } from '../metadata/tables/control-epochs.ts'
import { allFacts } from '../metadata/tables/facts.ts'
import { countOrphans } from './orphans.ts'
import { Collector, queryFaultsMax, type RegionReport } from './report.ts'
import { checkUploads, checkVersions } from './versions.ts'

export interface CheckTarget {
  readonly dataDirectory: string
  /** 32 bytes; undefined: it is not there, and what is encrypted cannot be read. */
  readonly masterKey: Buffer | undefined
}

export interface CheckOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
}

const controlPage = 500

/** @throws Error in words for an operator when there is nothing to check, or it is of another version */
export async function checkRegion({ dataDirectory, masterKey }: CheckTarget, { clock, signal }: CheckOptions): Promise<RegionReport> {
  const newest = schema.at(-1)?.version ?? 0
  const reader = openReader({ directory: join(dataDirectory, 'metadata'), schemaVersion: newest })
  const blobs = openBlobReader({ directory: join(dataDirectory, 'blobs') })
  try {
    const facts = reader.read(() => allFacts())
    const region = facts.get('region') ?? ''
    const names = reader.read(() => bucketNames())
    // A bucket made while the check runs is asked for by its id.
    const collector = new Collector((id) => names.get(id)?.name)
    collector.checked.buckets = names.size
    const keyring = keyringOf(masterKey, facts.get('master key'), collector)
    checkRows(reader, region, collector)
    const check = { reader, collector, signal, proof: { blobs, keyring, hashing: await createHashers() } }
    await checkVersions(check)
    await checkUploads(check)
    await countOrphans({ reader, blobs, collector, nowMs: clock.nowMs(), signal })
    return { region, checked: collector.checked, findings: collector.findings, unlisted: collector.unlisted }
  } finally {
    reader.close()
    await blobs.close()
  }
}

function keyringOf(masterKey: Buffer | undefined, keyId: string | undefined, collector: Collector): Keyring {
  // Any other key opens nothing, and says so for each object that needs one.
  const keyring = createKeyring(masterKey ?? Buffer.alloc(32))
  if (masterKey === undefined) collector.add({ kind: 'master-key', what: 'the master key is not there: encrypted objects cannot be read' })
  else if (keyId !== keyring.keyId)
    collector.add({ kind: 'master-key', what: `the folder belongs to master key ${keyId}, and not to ${keyring.keyId}` })
  return keyring
}

function checkRows(reader: MetadataReader, region: string, collector: Collector): void {
  for (const what of reader.integrityFaults(queryFaultsMax)) collector.add({ kind: 'database', what })
  for (const query of [blobFaults, readyMarkFaults, tasksWithoutVersion, moveFaults]) {
    for (const fault of reader.read(() => query(queryFaultsMax))) collector.add(fault)
  }
  for (const fault of reader.read(() => bucketFaults(region))) collector.add(fault)
  for (const fault of reader.read(() => counterFaults())) collector.add(fault)
  const surplus = reader.read(() => partsWithoutOwner())
  if (surplus !== 0) collector.add({ kind: 'parts', what: `${surplus} parts belong to no version and no open upload` })
  const { tasks, links, garbage } = reader.read(() => rowCounts())
  Object.assign(collector.checked, { tasks, links, freedBlobs: garbage })
  checkControlLog(reader, collector)
}

function checkControlLog(reader: MetadataReader, collector: Collector): void {
  let before: Pick<ControlRow, 'position' | 'hash'> | undefined
  for (let isMore = true; isMore; ) {
    const from = before
    // Both at one moment: old rows may go meanwhile, and then the check goes on behind them.
    const page = reader.read(function* () {
      const base = yield* controlBase()
      const last = from === undefined || from.position < base.position ? base : from
      return { last, rows: yield* controlRowsAfter(last.position, controlPage) }
    })
    const { rows } = page
    before = page.last
    for (const row of rows) {
      const what = controlRowFault(row, before)
      if (what !== undefined) collector.add({ kind: 'control-log', what })
      before = row
    }
    collector.checked.controlRows += rows.length
    isMore = rows.length === controlPage
  }
}
