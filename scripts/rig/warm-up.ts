/**
 * Reads the program once for all regions of a rig that judges memory. From a clone Node turns TypeScript into JavaScript in each thread, which takes tens
 * of MiB that no installed region takes, and keeps what came of it only when a process ends in order.
 */
import { Client, createBucket, expectStatus } from '../../test/limits/client.ts'
import { startRegion } from '../../test/limits/region.ts'
import { quickStarts } from './environment.ts'

const bucket = 'warm-up'
/** So many that each of its threads gets some. */
const objects = 16
/** Large enough for the thread that hashes. */
const objectBytes = 2 * 1024 * 1024

export async function warmUp({ folder, rigFolder }: { readonly folder: string; readonly rigFolder: string }): Promise<void> {
  const region = await startRegion({ folder, environment: quickStarts(rigFolder) })
  try {
    const client = new Client(region.port)
    await createBucket(client, bucket)
    const body = Buffer.alloc(objectBytes)
    const sent = Array.from({ length: objects }, (_, n) => client.send({ method: 'PUT', bucket, key: `object-${n}`, body }))
    for (const answer of await Promise.all(sent)) expectStatus(answer, 200)
    await client.close()
    await region.stop()
  } finally {
    await region.kill()
  }
}
