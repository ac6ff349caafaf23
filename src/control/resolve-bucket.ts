/** From a name to the bucket, or to the region where it is. */
import type { Metadata } from '../metadata/engine.ts'
import { bucketByName } from '../metadata/tables/buckets.ts'
import { nameOf } from '../metadata/tables/control.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'

export interface ResolveParts {
  readonly metadata: Metadata
  readonly self: string
  readonly regions: readonly { readonly name: string; readonly publicUrl: string }[]
}

/** What finds the bucket of a name. It throws S3Error NoSuchBucket, and PermanentRedirect for a bucket of another region. */
export function bucketResolver({ metadata, self, regions }: ResolveParts): (name: string) => Promise<Bucket> {
  // Asked by every request, and changed by hardly any.
  const bucketOrName = metadata.remembered(function* (name) {
    const bucket = yield* bucketByName(name)
    return { bucket, known: bucket === undefined ? yield* nameOf(name) : undefined }
  })
  return async (name) => {
    const { bucket, known } = await bucketOrName(name)
    if (bucket !== undefined) return bucket
    if (known === undefined || known.region === self) throw new S3Error('NoSuchBucket', { details: { BucketName: name } })
    const elsewhere = regions.find((region) => region.name === known.region)
    throw new S3Error('PermanentRedirect', {
      headers: { 'x-amz-bucket-region': known.region },
      details: { ...(elsewhere !== undefined && { Endpoint: new URL(elsewhere.publicUrl).host }), Bucket: name },
    })
  }
}
