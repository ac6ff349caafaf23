/** Goes through all versions in the order of their keys: their marks, the rows beside them, and every byte. */
import type { MetadataReader } from '../metadata/sqlite/open-reader.ts'
import { marksOfKey, type VersionFacts, versionFacts } from '../metadata/tables/checks.ts'
import { partsOf, uploadsAfter } from '../metadata/tables/uploads.ts'
import type { VersionPlace } from '../metadata/tables/version-rows.ts'
import { partNumberMax } from '../model/limits.ts'
import { type ObjectVersion, publicVersionId } from '../model/version.ts'
import { blobOfPart, type DescribedBlob, faultOfBlob, type ProofParts } from '../objects/blob-proof.ts'
import { proveVersion } from '../objects/version-proof.ts'
import type { Collector } from './report.ts'
import { faultsOfVersion } from './version-rules.ts'

export interface VersionsCheck {
  readonly reader: MetadataReader
  readonly proof: ProofParts
  readonly collector: Collector
  readonly signal: AbortSignal
}

/** Rows in one snapshot: a few milliseconds in which no checkpoint ends. */
const pageRows = 500
/** Read at once, so that a disk has something to choose from. */
const readsAtOnce = 4

export async function checkVersions(check: VersionsCheck): Promise<void> {
  const { reader, collector, signal } = check
  let after: VersionPlace | undefined = { bucketId: '', key: '', id: '' }
  const marks = new MarkRule(check)
  while (after !== undefined) {
    signal.throwIfAborted()
    const from: VersionPlace = after
    const page = reader.read(() => versionFacts(from, pageRows))
    for (const facts of page) {
      marks.see(facts.version)
      for (const fault of faultsOfVersion(facts)) collector.add(fault)
    }
    collector.checked.versions += page.length
    await inParallel(page, (facts) => checkContent(check, facts))
    after = page.length < pageRows ? undefined : page.at(-1)?.version
  }
  marks.end()
}

/** Parts of uploads that are still open. */
export async function checkUploads({ reader, proof, collector, signal }: VersionsCheck): Promise<void> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const from: string = after
    const page = reader.read(() => uploadsAfter(from, pageRows))
    for (const { id, bucketId, key } of page) {
      for (const part of reader.read(() => partsOf(id, { afterNumber: 0, limit: partNumberMax }))) {
        collector.checked.parts += 1
        const fault = await faultOfBlob(proof, blobOfPart(part, { bucketId, key, blobSet: id }), { signal })
        if (fault === undefined) continue
        const [standing] = reader.read(() => partsOf(id, { afterNumber: part.number - 1, limit: 1 }))
        // Replaced, aborted or moved meanwhile: only an unchanged reference is rot.
        if (standing?.blob === part.blob)
          collector.add({ kind: 'content', bucketId, key, what: `part ${part.number} of upload ${id}: ${fault}` })
      }
    }
    after = page.length < pageRows ? undefined : page.at(-1)?.id
  }
}

/** The newest version of a key is its latest, and only that one. Seen over pages of different moments, so that a doubt is asked again at one. */
class MarkRule {
  readonly #check: VersionsCheck
  #key: { readonly bucketId: string; readonly key: string } | undefined
  #isDoubtful = false

  constructor(check: VersionsCheck) {
    this.#check = check
  }

  see({ bucketId, key, isLatest }: ObjectVersion): void {
    const isNewest = this.#key?.bucketId !== bucketId || this.#key.key !== key
    if (isNewest) {
      this.end()
      this.#key = { bucketId, key }
    }
    this.#isDoubtful ||= isLatest !== isNewest
  }

  end(): void {
    if (this.#key === undefined || !this.#isDoubtful) return
    this.#isDoubtful = false
    const { bucketId, key } = this.#key
    const { newest, latest } = this.#check.reader.read(() => marksOfKey(bucketId, key))
    if (newest === undefined || (latest.length === 1 && latest[0] === newest)) return
    const marked = latest.length === 0 ? 'none' : latest.join(' and ')
    this.#check.collector.add({ kind: 'latest', bucketId, key, what: `the newest version is ${newest}, and marked as latest is ${marked}` })
  }
}

async function checkContent({ reader, proof, collector, signal }: VersionsCheck, { version }: VersionFacts): Promise<void> {
  const proved = await proveVersion({ ...proof, read: (query) => reader.read(query) }, version, { signal })
  if (proved === undefined) return
  const { blobs, inTiers, faults, isEtagWrong } = proved
  collector.checked.blobs += blobs.length
  collector.checked.parts += version.blobSet === undefined ? 0 : blobs.length + inTiers.length
  for (const { sizeBytes } of blobs) collector.checked.bytes += sizeBytes
  collector.checked.blobsInTiers += inTiers.length
  for (const { sizeBytes } of inTiers) collector.checked.bytesInTiers += sizeBytes
  const { bucketId, key } = version
  const place = { bucketId, key, versionId: publicVersionId(version) }
  for (const { described, reason } of faults) collector.add({ kind: 'content', ...place, what: wordsFor(described, reason) })
  if (isEtagWrong) collector.add({ kind: 'content', ...place, what: 'its ETag is not that of its parts' })
  if (version.isDamaged === true && faults.length === 0 && inTiers.length === 0) {
    collector.add({ kind: 'damage', ...place, what: 'it is marked as damaged and reads well; the scrubber will look again' })
  }
}

function wordsFor({ partNumber }: DescribedBlob, fault: string): string {
  return partNumber === undefined ? fault : `part ${partNumber}: ${fault}`
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item)
  }
  await Promise.all(Array.from({ length: readsAtOnce }, one))
}
