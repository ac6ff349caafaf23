import { describe, expect, it } from 'vitest'
import type { SettlementOutcome } from '../../../src/metadata/tables/settlements.ts'
import { versionById } from '../../../src/metadata/tables/version-rows.ts'
import { headerStatus } from '../../../src/model/replication-status.ts'
import { openRegion, replicationTo } from './region.ts'

const failure = { kind: 'failed', reason: 'DstBucketNotFound', message: '', nextAttemptMs: 0 } as const

async function pending() {
  const region = await openRegion()
  const bucket = await region.bucket('source')
  await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
  await region.metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'replication', value: replicationTo('far') })
  const { version } = await region.put(bucket, 'key')
  const id = { bucketId: bucket.id, key: 'key', versionId: version.id }
  return {
    settle: (revision: number, outcome: SettlementOutcome) =>
      region.metadata.commit({ tx: 'settle', settlements: [{ ...id, destination: 'id-far', revision, outcome }] }),
    tag: () =>
      region.metadata.commit({
        tx: 'setAttribute',
        ...id,
        stamp: region.ids.issue(),
        change: { name: 'tags', value: [{ Key: 'a', Value: 'b' }] },
      }),
    tasks: () => region.rows('SELECT state, revision, is_content, content_bytes FROM tasks'),
    status: async () => headerStatus((await region.metadata.read(() => versionById(bucket.id, 'key', version.id)))?.replication),
  }
}

describe('a change while the version is under way', () => {
  it('is not forgotten when what was sent before it has arrived: it goes as attributes', async () => {
    const { settle, tag, tasks, status } = await pending()
    await tag()
    await settle(1, { kind: 'completed' })
    expect(await tasks()).toEqual([{ state: 'waiting', revision: 2, is_content: 0, content_bytes: 0 }])
    expect(await status()).toBe('PENDING')
    await settle(2, { kind: 'completed' })
    expect(await tasks()).toEqual([])
    expect(await status()).toBe('COMPLETED')
  })

  it('is tried although what was sent before it was refused', async () => {
    const { settle, tag, tasks, status } = await pending()
    await tag()
    await settle(1, failure)
    expect(await tasks()).toMatchObject([{ state: 'waiting', revision: 2, is_content: 1 }])
    expect(await status()).toBe('PENDING')
  })
})
