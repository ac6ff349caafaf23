import { describe, expect, it } from 'vitest'
import { readyTasks } from '../../../src/metadata/tables/settlements.ts'
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
})
