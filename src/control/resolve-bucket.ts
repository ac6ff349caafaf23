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

/** @throws S3Error NoSuchBucket; PermanentRedirect for a bucket of another region */
export async function resolveBucket({ metadata, self, regions }: ResolveParts, name: string): Promise<Bucket> {
  const { bucket, known } = await metadata.read(function* () {
    const here = yield* bucketByName(name)
    return { bucket: here, known: here === undefined ? yield* nameOf(name) : undefined }
  })
  if (bucket !== undefined) return bucket
  if (known === undefined || known.region === self) throw new S3Error('NoSuchBucket', { details: { BucketName: name } })
  const elsewhere = regions.find((region) => region.name === known.region)
  throw new S3Error('PermanentRedirect', {
    headers: { 'x-amz-bucket-region': known.region },
    details: { ...(elsewhere !== undefined && { Endpoint: new URL(elsewhere.publicUrl).host }), Bucket: name },
  })
}
