/** Addresses that are good for a while: whoever has one may do this one thing, as the person who made it. */
import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { S3Error } from '../model/errors.ts'
import { checkBucketName, checkKey } from '../model/names.ts'
import { Refusal } from './refusal.ts'
import type { ConsoleRegions } from './regions.ts'
import type { Credentials, Signer } from './sign.ts'

/** S3: at most seven days. */
const expiresMaxSeconds = 7 * 24 * 3600

const schema = z.strictObject({
  region: z.string().max(32),
  bucket: z.string().max(63),
  key: z.string().max(1024),
  versionId: z
    .string()
    .regex(/^[\w.-]+$/)
    .max(1024)
    .optional(),
  method: z.enum(['GET', 'HEAD', 'PUT', 'DELETE']),
  expiresSeconds: z.int().min(1).max(expiresMaxSeconds),
  responseHeaders: z
    .partialRecord(
      z.enum(['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-type', 'expires']),
      z.string().max(1024),
    )
    .optional(),
})

/** @throws Refusal InvalidArgument | NoSuchRegion */
export function presignedUrl(
  body: unknown,
  {
    regions,
    signer,
    credentials,
    clock,
  }: { readonly regions: ConsoleRegions; readonly signer: Signer; readonly credentials: Credentials; readonly clock: Clock },
): string {
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw invalid(`${parsed.error.issues[0]?.path.join('.') || 'The body'}: ${parsed.error.issues[0]?.message}`)
  const { region, bucket, key, versionId, method, expiresSeconds, responseHeaders = {} } = parsed.data
  const { origin, host } = new URL(regions.publicUrl(region))
  checkNames(bucket, key)
  const rawPath = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
  const wanted = Object.entries(responseHeaders).map(([name, value]) => [`response-${name}`, value ?? ''])
  const rawQuery = new URLSearchParams([...(versionId === undefined ? [] : [['versionId', versionId]]), ...wanted]).toString()
  const query = signer.query({ region, method, host, rawPath, rawQuery, expiresSeconds }, credentials, clock.nowMs())
  return `${origin}${rawPath}?${query}`
}

function checkNames(bucket: string, key: string): void {
  try {
    checkBucketName(bucket)
    checkKey(key)
  } catch (error) {
    if (error instanceof S3Error) throw invalid(error.message)
    throw error
  }
}

function invalid(message: string): Refusal {
  return new Refusal(400, 'InvalidArgument', message)
}
