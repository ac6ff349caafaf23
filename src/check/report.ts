/** What a check looked at, and what it found. */
import type { RowFault } from '../metadata/tables/checks.ts'

export interface Finding {
  /** `content`, `damage`, `latest`, `version`, `status`, `task`, `counter`, `blob`, `parts`, `bucket`, `control-log`, `database`, `master-key` */
  readonly kind: string
  /** Name of the bucket; null where a finding belongs to none. */
  readonly bucket: string | null
  readonly key: string | null
  /** As clients know it. */
  readonly versionId: string | null
  readonly what: string
}

/** How much was looked at. Orphans are bytes to which no row leads: what a killed process left, or a write under way; no fault. */
export interface Checked {
  buckets: number
  versions: number
  parts: number
  blobs: number
  bytes: number
  /** Bytes of tiers are not read. */
  blobsInTiers: number
  bytesInTiers: number
  tasks: number
  links: number
  controlRows: number
  freedBlobs: number
  orphanFiles: number
  orphanBytes: number
}

export interface RegionReport {
  readonly region: string
  readonly checked: Readonly<Checked>
  readonly findings: readonly Finding[]
  /** Findings beyond those that are listed. */
  readonly unlisted: number
}

/** A broken disk may break everything; a list of it all helps nobody. */
const findingsMax = 10_000
/** How many of one kind a single query is asked for. */
export const queryFaultsMax = 1000

export class Collector {
  readonly checked: Checked = {
    buckets: 0,
    versions: 0,
    parts: 0,
    blobs: 0,
    bytes: 0,
    blobsInTiers: 0,
    bytesInTiers: 0,
    tasks: 0,
    links: 0,
    controlRows: 0,
    freedBlobs: 0,
    orphanFiles: 0,
    orphanBytes: 0,
  }
  readonly findings: Finding[] = []
  unlisted = 0
  readonly #bucketName: (id: string) => string | undefined

  constructor(bucketName: (id: string) => string | undefined) {
    this.#bucketName = bucketName
  }

  add(fault: RowFault): void {
    if (this.findings.length >= findingsMax) {
      this.unlisted += 1
      return
    }
    const { kind, bucketId, key, versionId, what } = fault
    const bucket = bucketId === undefined ? null : (this.#bucketName(bucketId) ?? bucketId)
    this.findings.push({ kind, bucket, key: key ?? null, versionId: versionId ?? null, what })
  }
}
