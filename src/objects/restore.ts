/** RestoreObject's heart: the copy is asked for here; whoever moves bytes makes it. */
import type { ObjectVersion, RestoreTier } from '../model/version.ts'
import type { ObjectParts } from './parts.ts'

export interface RestoreRequest {
  readonly days: number
  readonly tier: RestoreTier
  /** From now on, until the copy is begun. */
  readonly delayMs: number
  readonly dayMs: number
}

/** @returns `prolonged`: the copy is here @throws S3Error NoSuchKey, InvalidObjectState, RestoreAlreadyInProgress */
export async function restoreObject(
  { metadata }: ObjectParts,
  { bucketId, key, id }: ObjectVersion,
  request: RestoreRequest,
): Promise<'requested' | 'prolonged'> {
  return await metadata.commit({ tx: 'requestRestore', bucketId, key, id, ...request })
}
