import { describe, expect, it } from 'vitest'
import { controlSnapshot } from '../../../src/metadata/tables/control-snapshot.ts'
import { openRegion } from './region.ts'

describe('a change of tags or ACL', () => {
  it('is made to the version that was judged, or not at all', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('judged')
    await region.metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
    const { version: judged } = await region.put(bucket, 'key')
    const { version: newer } = await region.put(bucket, 'key')
    const set = (judgedId: string) =>
      region.metadata.commit({
        tx: 'setAttribute',
        bucketId: bucket.id,
        key: 'key',
        judgedId,
        stamp: region.ids.issue(),
        change: { name: 'acl', value: [{ Grantee: { Type: 'CanonicalUser', ID: 'somebody' }, Permission: 'READ' }] },
      })
    await expect(set(judged.id)).rejects.toMatchObject({ code: 'OperationAborted' })
    expect(await set(newer.id)).toMatchObject({ id: newer.id })
  })
})

describe('a snapshot of the control log', () => {
  it('does not take a bucket that holds objects', async () => {
    const region = await openRegion()
    const bucket = await region.bucket('full')
    const other = await openRegion()
    // Further on, as the log is that a snapshot is taken of.
    for (const name of ['of', 'another', 'history']) await other.bucket(name)
    const snapshot = await other.metadata.read(controlSnapshot)
    if (snapshot === undefined) throw new Error('there is no row')
    const take = () => region.metadata.commit({ tx: 'takeControlSnapshot', selfRegion: 'us-east-1', snapshot })
    await region.put(bucket, 'key')
    await expect(take()).rejects.toThrow('holds objects')
    expect(await region.rows('SELECT id FROM buckets')).toEqual([{ id: bucket.id }])
  })
})
