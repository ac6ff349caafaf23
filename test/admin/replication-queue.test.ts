import { PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { adminPost } from '../support/admin-post.ts'
import { allow, eventually, forbid, linkBuckets, openPair, type PairRegion, untilStatus } from '../support/regions-pair.ts'

interface Queue {
  readonly tasks: readonly {
    readonly key: string
    readonly attempts: number
    readonly nextAttemptAt: string | null
    readonly lastError: object | null
  }[]
  readonly next?: string
}

interface View {
  readonly status: string | null
  readonly destinations: readonly {
    readonly status: string
    readonly task: { readonly attempts: number; readonly lastError: { readonly code: string } | null } | null
  }[]
}

function put({ s3 }: PairRegion, Bucket: string, Key: string): Promise<{ VersionId?: string | undefined }> {
  return s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
}

describe('the replication queue', () => {
  it('is told page by page, the oldest first', async () => {
    const pair = await openPair()
    const { near } = await linkBuckets(pair)
    await pair.destination.stop()
    const keys = Array.from({ length: 7 }, (_, i) => `k${6 - i}`)
    for (const key of keys) await put(pair.source, near, key)
    const told: string[] = []
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: Queue = await pair.source.admin<Queue>(
        `/admin/v1/replication/queue?bucket=${near}&rule=rule&limit=3${after && `&after=${after}`}`,
      )
      told.push(...page.tasks.map(({ key }) => key))
      after = page.next
    }
    expect(told).toEqual(keys)
    const other = await pair.source.admin<Queue>(`/admin/v1/replication/queue?bucket=${near}&rule=other`)
    expect(other).toEqual({ tasks: [] })
    const { tasks } = await pair.source.admin<Queue>(`/admin/v1/replication/queue?bucket=${near}`)
    expect(tasks).toHaveLength(7)
    expect(tasks[0]).toMatchObject({
      key: 'k6',
      ruleId: 'rule',
      state: 'waiting',
      bytes: 1,
      destination: { bucket: 'far-shore', region: 'eu-west-1' },
    })
  })

  it.each(['', '?bucket=', '?bucket=a&limit=0', '?bucket=a&limit=5000', '?bucket=a&after=x', '?bucket=a&bucket=b', '?bucket=no-such'])(
    'refuses to look at %s',
    async (query) => {
      const { source } = await openPair()
      await expect(source.admin(`/admin/v1/replication/queue${query}`)).rejects.toThrow(/: 40[04] /)
    },
  )
})

describe('the replication of one version', () => {
  it('is told with what is left to do for each destination, and tried at once when asked to', async () => {
    const pair = await openPair()
    const { near } = await linkBuckets(pair)
    const look = (): Promise<View> => pair.source.admin<View>(`/admin/v1/replication/version?bucket=${near}&key=a%2Fb`)
    await forbid(pair, 'replicator')
    const { VersionId } = await put(pair.source, near, 'a/b')
    await untilStatus(pair.source, { bucket: near, key: 'a/b', status: 'FAILED' })
    expect(await look()).toMatchObject({
      bucket: near,
      key: 'a/b',
      versionId: VersionId,
      status: 'FAILED',
      source: null,
      destinations: [
        {
          bucket: 'far-shore',
          status: 'FAILED',
          ruleId: 'rule',
          task: { state: 'failed', attempts: 1, lastError: { code: expect.any(String) } },
        },
      ],
    })
    const again = await adminPost(pair.source, '/admin/v1/replication/retry', { bucket: near, key: 'a/b' })
    expect(again).toEqual({ status: 200, text: '{"retried":1}' })
    await eventually(async () => expect((await look()).destinations[0]?.task?.attempts).toBeGreaterThan(1))
    expect(await adminPost(pair.source, '/admin/v1/replication/retry', { bucket: near, rule: 'rule' })).toEqual({
      status: 200,
      text: '{"retried":1}',
    })
    await allow(pair, 'replicator', ['s3:*'])
    await untilStatus(pair.source, { bucket: near, key: 'a/b', status: 'COMPLETED' })
    expect(await look()).toMatchObject({ status: 'COMPLETED', destinations: [{ status: 'COMPLETED', task: null }] })
    const replica = await pair.destination.admin<View>('/admin/v1/replication/version?bucket=far-shore&key=a%2Fb')
    expect(replica).toMatchObject({ status: 'REPLICA', source: { region: 'us-east-1', bucket: near }, destinations: [] })
  })

  it('refuses what is not there', async () => {
    const pair = await openPair()
    const { near } = await linkBuckets(pair)
    await expect(pair.source.admin(`/admin/v1/replication/version?bucket=${near}&key=none`)).rejects.toThrow('404')
    for (const body of [{}, { bucket: 1 }, { bucket: near, more: 1 }]) {
      expect(await adminPost(pair.source, '/admin/v1/replication/retry', body)).toMatchObject({ status: 400 })
    }
    expect(await adminPost(pair.source, '/admin/v1/replication/retry', { bucket: near, key: 'none' })).toMatchObject({ status: 404 })
    const unsigned = await fetch(`${pair.source.adminUrl}/admin/v1/replication/retry`, { method: 'POST', body: '{}' })
    expect(unsigned.status).toBe(403)
  })
})

it('tells what a region does beside requests, and what it runs on', async () => {
  const { source } = await openPair()
  const told = await source.admin<{ engines: { name: string; status: object }[]; disk: { freeBytes: number; totalBytes: number } }>(
    '/admin/v1/engines',
  )
  expect(told).toMatchObject({
    region: 'us-east-1',
    threads: 1,
    store: { state: 'open', reason: null },
    memory: { residentBytes: expect.any(Number) },
  })
  expect(told.engines.map(({ name }) => name)).toEqual(expect.arrayContaining(['scrub', 'compaction', 'replication redrive']))
  expect(told.disk.freeBytes).toBeGreaterThan(0)
  expect(told.disk.freeBytes).toBeLessThan(told.disk.totalBytes)
})
