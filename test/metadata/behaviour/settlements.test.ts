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
    settle: (revision: number, outcome: SettlementOutcome, destination = 'id-far') =>
      region.metadata.commit({ tx: 'settle', settlements: [{ ...id, destination, revision, outcome }] }),
    replicateTo: (bucketId: string) =>
      region.metadata.commit({
        tx: 'setBucketSetting',
        bucketId: bucket.id,
        name: 'replication',
        value: { ...replicationTo('far'), destinations: { far: { bucketId, region: 'eu-west-1' } } },
      }),
    tag: () =>
      region.metadata.commit({
        tx: 'setAttribute',
        ...id,
        stamp: region.ids.issue(),
        change: { name: 'tags', value: [{ Key: 'a', Value: 'b' }] },
      }),
    tasks: () => region.rows('SELECT state, revision, is_content, content_bytes FROM tasks'),
    revision: async () => Number((await region.rows('SELECT revision FROM tasks'))[0]?.revision),
    status: async () => headerStatus((await region.metadata.read(() => versionById(bucket.id, 'key', version.id)))?.replication),
  }
}

describe('a task whose destination has moved', () => {
  it('leaves the status to one that stands at the new destination already', async () => {
    const { settle, tag, tasks, revision, status, replicateTo } = await pending()
    const sent = await revision()
    await replicateTo('id-new')
    await tag()
    const [moved] = (await tasks()).map((task) => Number(task.revision)).filter((one) => one !== sent)
    await settle(moved ?? 0, failure, 'id-new')
    await settle(sent, { kind: 'moved', to: { bucketId: 'id-new', region: 'eu-west-1' } })
    expect(await tasks()).toMatchObject([{ state: 'failed' }])
    expect(await status()).toBe('FAILED')
  })
})

describe('a change while the version is under way', () => {
  it('is not forgotten when what was sent before it has arrived: it goes as attributes', async () => {
    const { settle, tag, tasks, revision, status } = await pending()
    const sent = await revision()
    await tag()
    const changed = await revision()
    await settle(sent, { kind: 'completed' })
    expect(await tasks()).toEqual([{ state: 'waiting', revision: changed, is_content: 0, content_bytes: 0 }])
    expect(await status()).toBe('PENDING')
    await settle(changed, { kind: 'completed' })
    expect(await tasks()).toEqual([])
    expect(await status()).toBe('COMPLETED')
  })

  it('is tried although what was sent before it was refused', async () => {
    const { settle, tag, tasks, revision, status } = await pending()
    const sent = await revision()
    await tag()
    await settle(sent, failure)
    expect(await tasks()).toMatchObject([{ state: 'waiting', revision: await revision(), is_content: 1 }])
    expect(await status()).toBe('PENDING')
  })

  it('is not settled by an answer from before an earlier settlement', async () => {
    const { settle, tag, tasks, revision, status } = await pending()
    const sent = await revision()
    await settle(sent, { kind: 'completed' })
    await tag()
    await settle(sent, { kind: 'completed' })
    expect(await tasks()).toMatchObject([{ state: 'waiting', revision: await revision() }])
    expect(await status()).toBe('PENDING')
  })
})
