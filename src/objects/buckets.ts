/** What belongs to one bucket and lives with it. Making and dropping buckets is the control plane's. */
import type { Metadata } from '../metadata/engine.ts'
import type { Bucket, BucketSettings, VersioningState } from '../model/bucket.ts'

export interface Buckets {
  /** @throws S3Error NoSuchBucket; InvalidBucketState when a replicating bucket is to be suspended */
  setVersioning(bucket: Bucket, versioning: Exclude<VersioningState, 'Unversioned'>): Promise<void>
  /** Replaces a setting whole; undefined removes it. @throws S3Error NoSuchBucket */
  setSetting<Name extends keyof BucketSettings>(bucket: Bucket, name: Name, value: BucketSettings[Name] | undefined): Promise<void>
}

/** @param changed  told after each change, so that whoever waits for one can look again */
export function createBuckets(parts: { readonly metadata: Metadata; readonly changed: (bucket: Bucket) => void }): Buckets {
  const { metadata, changed } = parts
  return {
    async setVersioning(bucket, versioning) {
      await metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning })
      changed(bucket)
    },
    async setSetting(bucket, name, value) {
      // The union of commands is correlated by `name`, which a generic function cannot show.
      const command = { tx: 'setBucketSetting', bucketId: bucket.id, name, value: value ?? null } as Parameters<
        typeof metadata.commit<'setBucketSetting'>
      >[0]
      await metadata.commit(command)
      changed(bucket)
    },
  }
}
