/** Writes a file into the source bucket and shows what HEAD says of it until it has been replicated. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HeadObjectCommand } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { DemoClients } from './clients.ts'
import { say, title } from './print.ts'
import type { BucketPair } from './replication.ts'

export interface Uploaded {
  readonly path: string
  readonly key: string
  readonly versionId: string
}

const patienceMs = 120_000
const contentTypes: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.txt': 'text/plain',
  '.pdf': 'application/pdf',
}

export async function uploadAndWatch({ source }: DemoClients, { source: bucket }: BucketPair, path: string): Promise<Uploaded> {
  const { size } = await stat(path)
  const key = `pictures/${basename(path)}`
  title(`${basename(path)}, ${size.toLocaleString('en')} bytes, into ${bucket}`)
  const upload = new Upload({
    client: source,
    params: {
      Bucket: bucket,
      Key: key,
      Body: createReadStream(path),
      ContentType: contentTypes[extname(path).toLowerCase()] ?? 'application/octet-stream',
      CacheControl: 'max-age=3600',
      Metadata: { photographer: 'farshore', place: 'two shores' },
      Tagging: 'kind=picture&shore=near',
      ACL: 'bucket-owner-full-control',
      StorageClass: 'REDUCED_REDUNDANCY',
      ServerSideEncryption: 'AES256',
    },
  })
  const { VersionId } = await upload.done()
  if (VersionId === undefined) throw new Error('the upload has no version id')
  say(`  written with Reduced Redundancy, SSE, metadata, tags and ACL: version ${VersionId}`)
  await watchStatus()
  return { path, key, versionId: VersionId }

  async function watchStatus(): Promise<void> {
    const startMs = Date.now()
    let shown: string | undefined
    while (Date.now() - startMs < patienceMs) {
      const { ReplicationStatus: status } = await source.send(new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId }))
      if (status !== shown)
        say(`  HEAD after ${String(Date.now() - startMs).padStart(5)} ms   x-amz-replication-status: ${status ?? '(none)'}`)
      shown = status
      if (status === 'COMPLETED') return
      if (status === 'FAILED') throw new Error('replication FAILED; farshore replication failed says why')
      await delay(10)
    }
    throw new Error(`not replicated within ${patienceMs / 1000} s`)
  }
}
