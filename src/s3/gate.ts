/** What the wire asks of those who know credentials, permissions and buckets. The composition provides it. */
import type { Caller } from '../access/caller.ts'
import type { Bucket } from '../model/bucket.ts'
import type { ObjectVersion } from '../model/version.ts'
import type { RequestHead } from './auth/head.ts'
import type { FormClaim } from './auth/post-form.ts'
import type { Signed, Verified } from './auth/verify.ts'
import type { RequestFacts } from './condition-context.ts'
import type { Target } from './define.ts'

export interface Authorization {
  readonly caller: Caller
  /** An IAM action: `s3:GetObject`. */
  readonly action: string
  readonly target: Target
  readonly request: RequestFacts
}

export interface Gate {
  /** Checks the signature of a head, and finds who signed it; the body is still unread. @throws S3Error as `verifySignature` */
  verify(head: RequestHead, nowMs: number): Promise<Verified>
  /** The same for a form, whose policy is signed. @throws S3Error as `verifyForm` */
  verifyForm(claim: FormClaim, nowMs: number): Promise<Signed>
  /**
   * The bucket and its configuration.
   * @param expectedOwner x-amz-expected-bucket-owner: the account id that must own it
   * @throws S3Error NoSuchBucket | PermanentRedirect | AccessDenied (another owner)
   */
  resolveBucket(name: string, expectedOwner: string | undefined): Bucket | Promise<Bucket>
  /**
   * @returns what is to be asked with the version that the operation then finds, where the answer turned on the version that was there
   * @throws S3Error AccessDenied
   */
  authorize(question: Authorization): Confirm | undefined | Promise<Confirm | undefined>
}

/** Another version may stand there by the time it is found. @throws S3Error AccessDenied */
export type Confirm = (version: ObjectVersion) => void
