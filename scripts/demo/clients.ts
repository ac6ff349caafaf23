/** AWS SDK clients for both regions: nothing special but the endpoint. */
import { IAMClient } from '@aws-sdk/client-iam'
import { S3Client } from '@aws-sdk/client-s3'
import type { DemoRegions } from './regions.ts'

export interface DemoClients {
  readonly source: S3Client
  readonly destination: S3Client
  readonly iam: IAMClient
  readonly sourceRegion: string
  readonly destinationRegion: string
}

export function clientsFor({ list: [first, second], accessKeyId, secretAccessKey }: DemoRegions): DemoClients {
  const credentials = { accessKeyId, secretAccessKey }
  const s3 = (endpoint: string, region: string): S3Client => new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  return {
    source: s3(first.s3, first.region),
    destination: s3(second.s3, second.region),
    iam: new IAMClient({ endpoint: first.s3, region: first.region, credentials }),
    sourceRegion: first.region,
    destinationRegion: second.region,
  }
}
