/** Finds an object for a caller, who is told that there is none only if he may list what there is. */
import { S3Error } from '../../model/errors.ts'
import type { ObjectVersion } from '../../model/version.ts'
import { ContentGone } from '../../objects/read.ts'
import type { OperationContext } from '../../s3/define.ts'
import { bucketTarget } from './targets.ts'

export interface ObjectAddress {
  readonly key: string
  readonly versionId: string | undefined
}

/**
 * @throws S3Error NoSuchKey | NoSuchVersion | MethodNotAllowed (a delete marker by its id) | AccessDenied (nothing there, and listing is not allowed)
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax
 */
export async function findObject(context: OperationContext, address: ObjectAddress): Promise<ObjectVersion> {
  const { bucket, services } = context
  return await hidingAbsence(context, async () => {
    const version = await services.objects.find({ bucket, ...address })
    context.confirm(version)
    return version
  })
}

/** @throws what `work` throws; AccessDenied in its place when that tells that there is nothing, and the caller may not list */
export async function hidingAbsence<T>(context: OperationContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isAbsent(error)) await context.authorize('s3:ListBucket', bucketTarget(context))
    throw error
  }
}

/** A version that is overwritten while it is opened is looked for again; a key that is written so fast that this never ends is no key to read. */
const attemptsMax = 10

/**
 * Runs what finds a version and opens its bytes, again when the version went away between the two.
 * @param work told whether it has run before, so that it finds anew what it had found
 */
export async function untilOpened<T>(work: (isRepeated: boolean) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt > 1)
    } catch (error) {
      if (!(error instanceof ContentGone) || attempt === attemptsMax) throw error
    }
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof S3Error && (error.code === 'NoSuchKey' || error.code === 'NoSuchVersion')
}
