import { describe, expect, it } from 'vitest'
import { failedTasksDue, readyTasks } from '../../../src/metadata/tables/settlements.ts'
import { openRegion, replicationTo } from './region.ts'

const minuteMs = 60_000

describe('a task that was put off', () => {
  it('waits for its time, but not for a time that only a clock which has been put back could have said', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('source')
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    await region.metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'replication', value: replicationTo('far') })
    const { version } = await region.put(bucket, 'key')
    const nowMs = Date.now()
    const putOffTo = (nextAttemptMs: number) => {
      const outcome = { kind: 'retry', reason: 'DstUnreachable', message: '', nextAttemptMs } as const
      const settlement = { bucketId: bucket.id, key: 'key', versionId: version.id, destination: 'id-far', revision: 1, outcome }
      return region.metadata.commit({ tx: 'settle', settlements: [settlement] })
    }
    const found = async () => {
      const tasks = await region.metadata.read(() =>
        readyTasks({ region: 'eu-west-1', ready: 0, nowMs, latestMs: nowMs + 5 * minuteMs, limit: 10 }),
      )
      return tasks.length
    }
    expect(await found()).toBe(1)
    await putOffTo(nowMs + 4 * minuteMs)
    expect(await found()).toBe(0)
    await putOffTo(nowMs + 24 * 60 * minuteMs)
    expect(await found()).toBe(1)
  })

  it('because it failed does so too, and is found by the size of what it sends', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('source')
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    await region.metadata.commit({ tx: 'setBucketSetting', bucketId: bucket.id, name: 'replication', value: replicationTo('far') })
    const nowMs = Date.now()
    const versions = await Promise.all([10, 5_000].map((size) => region.put(bucket, `key-${size}`, { size })))
    const failUntil = async (nextAttemptMs: number): Promise<void> => {
      const settlements = await Promise.all(
        versions.map(async ({ version: { key, id: versionId } }) => {
          const [row] = await region.rows('SELECT revision FROM tasks WHERE key = ?1', key)
          const outcome = { kind: 'failed', reason: 'DstBucketNotFound', message: '', nextAttemptMs } as const
          return { bucketId: bucket.id, key, versionId, destination: 'id-far', revision: Number(row?.revision), outcome }
        }),
      )
      await region.metadata.commit({ tx: 'settle', settlements })
    }
    const found = async (min: number, max: number) => {
      const due = { region: 'eu-west-1', nowMs, latestMs: nowMs + 60 * minuteMs, contentBytes: { min, max }, limit: 10 }
      return (await region.metadata.read(() => failedTasksDue(due))).map(({ key }) => key)
    }
    await failUntil(nowMs + minuteMs)
    expect(await found(0, 10_000)).toEqual([])
    await failUntil(nowMs + 24 * 60 * minuteMs)
    expect(await found(0, 100)).toEqual(['key-10'])
    expect(await found(101, 10_000)).toEqual(['key-5000'])
  })
})
