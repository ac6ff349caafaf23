/**
 * Whether a version's content is what was written, in a region where bytes move and versions go meanwhile. What is in a tier is passed by: it was read back
 * when it was put there, each read of it is verified, and to read it all again and again is what a cold place is not for.
 */
import type { Pace } from '../lib/pace.ts'
import type { Steps } from '../metadata/steps.ts'
import { partsOf } from '../metadata/tables/uploads.ts'
import { versionByOrderedId } from '../metadata/tables/version-rows.ts'
import { multipartEtag } from '../model/etag.ts'
import { partNumberMax } from '../model/limits.ts'
import { tierOfRef } from '../model/tier-refs.ts'
import type { ObjectVersion, Part } from '../model/version.ts'
import { blobsOf, type DescribedBlob, faultOfBlob, type ProofParts } from './blob-proof.ts'

export interface VersionProofParts extends ProofParts {
  /** One moment for all that a query sees. */
  read<T>(query: () => Steps<T>): T | Promise<T>
}

export interface ContentFault {
  readonly described: DescribedBlob
  readonly reason: string
}

export interface VersionProof {
  /** Blobs as they stood when they were read, or did not read well. */
  readonly blobs: readonly DescribedBlob[]
  /** Those that were not looked at. */
  readonly inTiers: readonly DescribedBlob[]
  readonly faults: readonly ContentFault[]
  /** The parts are well, and are not those of the ETag. */
  readonly isEtagWrong: boolean
}

/** How often a version may move before its bytes are found. */
const movesMax = 10

/**
 * Reads all bytes of a version. Only an unchanged reference is rot: when something is wrong the row is read again, and its bytes where they stand then.
 * @returns undefined when the version went meanwhile
 */
export async function proveVersion(
  parts: VersionProofParts,
  seen: ObjectVersion,
  options: { readonly signal: AbortSignal; readonly pace?: Pace },
): Promise<VersionProof | undefined> {
  let version: ObjectVersion | undefined = seen
  for (let attempt = 1; version !== undefined && attempt <= movesMax; attempt++) {
    const current: ObjectVersion = version
    const layout = await layoutOf(parts, current)
    const all = blobsOf(current, layout)
    const blobs = all.filter(({ blob }) => tierOfRef(blob) === undefined)
    const inTiers = all.filter(({ blob }) => tierOfRef(blob) !== undefined)
    const faults: ContentFault[] = []
    for (const described of blobs) {
      const reason = await faultOfBlob(parts, described, options)
      if (reason !== undefined) faults.push({ described, reason })
    }
    const isEtagWrong = layout.length > 0 && multipartEtag(layout.map(({ etag }) => etag)) !== current.etag
    const proof = { blobs, inTiers, faults, isEtagWrong }
    if (faults.length === 0 && !isEtagWrong) return proof
    const standing = await parts.read(() => versionByOrderedId(current.bucketId, current.key, current.id))
    if (standing !== undefined && (await isUnchanged(parts, standing, { version: current, layout }))) return proof
    version = standing
  }
  return undefined
}

async function layoutOf(parts: VersionProofParts, { blobSet }: ObjectVersion): Promise<readonly Part[]> {
  if (blobSet === undefined) return []
  return await parts.read(() => partsOf(blobSet, { afterNumber: 0, limit: partNumberMax }))
}

async function isUnchanged(
  parts: VersionProofParts,
  standing: ObjectVersion,
  seen: { readonly version: ObjectVersion; readonly layout: readonly Part[] },
): Promise<boolean> {
  if (standing.blob !== seen.version.blob || standing.blobSet !== seen.version.blobSet) return false
  const now = await layoutOf(parts, standing)
  return now.length === seen.layout.length && now.every(({ blob }, index) => blob === seen.layout[index]?.blob)
}
