/**
 * DeleteBucket over two places that must agree: the bucket's region closes it to writes, home drops its name, and the row that says so drops
 * the rest here. A deletion whose outcome is unknown stays closed until home has been asked again, with the same request id.
 */
import { type Engine, sleep } from '../lib/engine.ts'
import type { Metadata } from '../metadata/engine.ts'
import { deletingBuckets } from '../metadata/tables/buckets.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { Bell } from './bell.ts'
import type { ControlWriter } from './writer.ts'

/** Between two attempts to learn an unknown outcome. */
const retryMs = 1_000

export class BucketDeletions implements Engine {
  readonly name = 'bucket-deletions'
  readonly #metadata: Metadata
  readonly #writer: ControlWriter
  #unresolved = 0
  readonly #bell = new Bell()

  constructor({ metadata, writer }: { readonly metadata: Metadata; readonly writer: ControlWriter }) {
    this.#metadata = metadata
    this.#writer = writer
  }

  /** @throws S3Error NoSuchBucket | BucketNotEmpty; ServiceUnavailable, and then it goes on by itself when home is back */
  async delete(bucket: Bucket): Promise<void> {
    await this.#metadata.commit({ tx: 'beginDeleteBucket', bucketId: bucket.id })
    try {
      await this.#finish(bucket, 'patient')
    } catch (error) {
      if (isUnknown(error)) this.#bell.ring()
      throw error
    }
  }

  status(): Readonly<Record<string, unknown>> {
    return { unresolved: this.#unresolved }
  }

  /** Asks home once about each deletion that was begun and not ended: also those that a crash cut off. */
  async work(): Promise<'idle'> {
    const buckets = await this.#metadata.read(deletingBuckets)
    const outcomes = await Promise.allSettled(buckets.map((bucket) => this.#finish(bucket, 'attempt')))
    this.#unresolved = outcomes.filter((outcome) => outcome.status === 'rejected' && isUnknown(outcome.reason)).length
    return 'idle'
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (this.#unresolved > 0) return sleep(retryMs, signal)
    await this.#bell.wait(signal)
  }

  /** The request id comes from the bucket's: whoever asks, and however often, it is one deletion. */
  async #finish(bucket: Bucket, patience: 'patient' | 'attempt'): Promise<void> {
    const change = { kind: 'deleteBucket', name: bucket.name, id: bucket.id } as const
    try {
      await this.#writer.write({ requestId: `delete-bucket:${bucket.id}`, change }, patience)
    } catch (error) {
      // NOTE: only a refusal is known to have changed nothing, and never will: home looks for the request's row before it judges.
      if (!isUnknown(error)) await this.#metadata.commit({ tx: 'cancelDeleteBucket', bucketId: bucket.id })
      throw error
    }
  }
}

function isUnknown(error: unknown): boolean {
  return !(error instanceof S3Error) || error.status >= 500
}
