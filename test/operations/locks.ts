/** Short words for locked versions: what the tests of Object Lock share. */
import { GetObjectRetentionCommand, PutObjectCommand, type PutObjectCommandInput, PutObjectLegalHoldCommand } from '@aws-sdk/client-s3'
import type { TestRegion } from '../support/region.ts'

export const lockSettings = { versioning: 'Enabled', settings: { ownership: 'BucketOwnerEnforced', objectLock: {} } } as const
export const hourMs = 60 * 60 * 1000
/** Hours from now, to the second. */
export const inHours = (hours: number): Date => new Date(Math.floor((Date.now() + hours * hourMs) / 1000) * 1000)
export const protectedByLock = { code: 'AccessDenied', status: 403, message: 'Access Denied because object protected by object lock.' }
export const withoutLock = { code: 'InvalidRequest', status: 400, message: 'Bucket is missing Object Lock Configuration' }

export function locksOf(region: () => TestRegion) {
  return {
    /** @returns the version's address */
    async put(Bucket: string, Key: string, more: Partial<PutObjectCommandInput> = {}) {
      const { VersionId } = await region().client.send(new PutObjectCommand({ Bucket, Key, Body: 'kept', ...more }))
      return { Bucket, Key, VersionId }
    },
    async retention(address: { readonly Bucket: string; readonly Key: string; readonly VersionId?: string | undefined }) {
      return (await region().client.send(new GetObjectRetentionCommand(address))).Retention
    },
    hold(address: { readonly Bucket: string; readonly Key: string; readonly VersionId?: string | undefined }, Status: 'ON' | 'OFF') {
      return region().client.send(new PutObjectLegalHoldCommand({ ...address, LegalHold: { Status } }))
    },
  }
}
