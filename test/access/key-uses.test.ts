import { describe, expect, it } from 'vitest'
import { KeyUses } from '../../src/access/key-uses.ts'
import type { Metadata } from '../../src/metadata/engine.ts'
import { keyUse } from '../../src/metadata/tables/key-uses.ts'
import { Identities, userOf } from './identities.ts'

const minuteMs = 60_000

/** A key of a user, and what notes its uses by a clock that stands. */
async function opened() {
  const { identities } = await Identities.open()
  await identities.create(userOf('ann'))
  const { accessKeyId } = await identities.key('ann')
  const clock = { now: 1_000_000, nowMs: () => clock.now }
  let commits = 0
  const { metadata } = identities
  const counting: Pick<Metadata, 'commit' | 'read'> = {
    commit: (command) => {
      commits += 1
      return metadata.commit(command)
    },
    read: (query) => metadata.read(query),
  }
  const uses = () => new KeyUses({ metadata: counting, clock })
  const written = (id = accessKeyId) => metadata.read(() => keyUse(id))
  const use = (service: string) => ({ usedMs: clock.now, service, region: 'us-east-1' })
  return { identities, accessKeyId, clock, uses, written, use, commits: () => commits }
}

describe('what keys were used for', () => {
  it('is known at once, and written once a minute however often they are used', async () => {
    const { accessKeyId, clock, uses, written, use, commits } = await opened()
    const noting = uses()
    for (let i = 0; i < 1_000; i += 1) noting.note(accessKeyId, use('s3'))
    expect([await noting.lastUse(accessKeyId), await written(), commits()]).toEqual([use('s3'), undefined, 0])
    await noting.write()
    expect([await written(), commits()]).toEqual([use('s3'), 1])
    clock.now += minuteMs / 2
    noting.note(accessKeyId, use('iam'))
    await noting.write()
    expect([await noting.lastUse(accessKeyId), commits()]).toEqual([use('iam'), 1])
    clock.now += minuteMs / 2
    await noting.write()
    expect([(await written())?.service, commits()]).toEqual(['iam', 2])
    clock.now += 10 * minuteMs
    await noting.write()
    expect(commits()).toBe(2)
  })

  it('is written at the end, and is the newest of what several threads say', async () => {
    const { accessKeyId, clock, uses, written, use } = await opened()
    const [first, second] = [uses(), uses()]
    first.note(accessKeyId, use('s3'))
    clock.now += 5
    second.note(accessKeyId, use('iam'))
    const newest = use('iam')
    await second.close()
    await first.close()
    expect(await written()).toEqual(newest)
    expect(await first.lastUse(accessKeyId)).toEqual(newest)
    expect(await uses().lastUse(accessKeyId)).toEqual(newest)
  })

  it('goes with the key, and is kept of no key that is not there', async () => {
    const { identities, accessKeyId, uses, written, use } = await opened()
    const noting = uses()
    noting.note(accessKeyId, use('s3'))
    noting.note('AKIANOBODYNOBODY', use('s3'))
    await noting.write()
    expect([await written(), await written('AKIANOBODYNOBODY')]).toEqual([use('s3'), undefined])
    await identities.change({ kind: 'deleteAccessKey', accountId: userOf('ann').accountId, userName: 'ann', accessKeyId })
    expect(await written()).toBeUndefined()
    noting.note(accessKeyId, use('iam'))
    await noting.close()
    expect(await written()).toBeUndefined()
  })

  it('makes room for keys in use when others have not been used for a while', async () => {
    const { accessKeyId, clock, uses, use } = await opened()
    const noting = uses()
    for (let i = 0; i < 10_000; i += 1) noting.note(`AKIA${i}`, use('s3'))
    noting.note(accessKeyId, use('s3'))
    expect(await noting.lastUse(accessKeyId)).toBeUndefined()
    await noting.write()
    clock.now += minuteMs
    await noting.write()
    noting.note(accessKeyId, use('s3'))
    expect(await noting.lastUse(accessKeyId)).toEqual(use('s3'))
  })

  it('is kept until it can be written', async () => {
    const { identities, accessKeyId, clock, use, written } = await opened()
    let isFull = true
    const { metadata } = identities
    const full: Pick<Metadata, 'commit' | 'read'> = {
      commit: (command) => (isFull ? Promise.reject(new Error('full')) : metadata.commit(command)),
      read: (query) => metadata.read(query),
    }
    const noting = new KeyUses({ metadata: full, clock })
    noting.note(accessKeyId, use('s3'))
    await noting.write()
    isFull = false
    await noting.write()
    expect(await written()).toEqual(use('s3'))
  })
})
