import { hash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { createKeyring } from '../../src/blobs/seal.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createHashers } from '../../src/lib/hash.ts'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import type { ControlChange } from '../../src/metadata/tables/control.ts'
import type { Account } from '../../src/model/identities.ts'
import type { IdentityEdit } from '../../src/model/identity-changes.ts'
import type { Role } from '../../src/model/role.ts'
import { ReaderPins } from '../../src/objects/reader-pins.ts'
import { encodeHead, readStreamHead } from '../../src/replication/frame.ts'
import { IncomingBuffer } from '../../src/replication/incoming.ts'
import { receive } from '../../src/replication/receive.ts'
import type { WireVersion } from '../../src/replication/wire.ts'
import { openRegion } from '../metadata/behaviour/region.ts'
import { memoryTiers } from '../support/tiers.ts'

const content = Buffer.from('words')
const hourMs = 60 * 60 * 1000

function versionAt(id: string): WireVersion {
  return {
    link: 0,
    key: 'key',
    id,
    isDeleteMarker: false,
    size: content.length,
    lastModifiedMs: 1,
    etag: hash('md5', content),
    storageClass: 'STANDARD',
    record: {
      ownerId: 'owner',
      system: { contentType: 'text/plain' },
      user: [],
      isEncrypted: false,
      tags: { stamp: id, value: [] },
      acl: { stamp: id, value: [] },
    },
    content: { kind: 'blob' },
  }
}

/** A destination that knows a bucket of region us-east-1, and what it answers to one delivery from there. */
async function destination() {
  const region = await openRegion('eu-west-1')
  const directory = await mkdtemp(join(tmpdir(), 'farshore-receive-'))
  const blobs = await openBlobStore({ directory, boot: 1 })
  onTestFinished(async () => {
    await blobs.close()
    await rm(directory, { recursive: true, force: true })
  })
  const { metadata, ids } = region
  const bucket = await region.bucket('far')
  await metadata.commit({ tx: 'setVersioning', bucketId: bucket.id, versioning: 'Enabled' })
  const near = { name: 'near', id: 'id-near', region: 'us-east-1', ownerId: 'owner', createdMs: 1 }
  await metadata.commit({
    tx: 'appendControl',
    selfRegion: 'eu-west-1',
    requestId: 'near',
    change: { kind: 'createBucket', bucket: near, settings: {} },
  })
  const objects = {
    ...{ metadata, ids, blobs, hashing: await createHashers(), keyring: createKeyring(randomBytes(32)) },
    ...{ tiers: memoryTiers(), clock: systemClock, readers: new ReaderPins() },
    encryptByDefault: false,
  }
  const link = {
    source: { id: near.id, name: near.name },
    destination: { id: bucket.id, name: bucket.name },
    ruleId: 'rule',
    role: 'arn:aws:iam::000000000000:role/replicator',
    owner: 'source' as const,
  }
  return {
    async makeRole(owner = 'owner'): Promise<void> {
      const trust = { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }
      const trustPolicy = JSON.stringify({ Version: '2012-10-17', Statement: [trust] })
      const facts = { name: 'replicator', arn: link.role, id: 'AROA', path: '/', accountId: '000000000000', createdMs: 1 }
      const account: Account = {
        accountId: '000000000000',
        canonicalId: owner,
        displayName: 'root',
        status: 'active',
        createdMs: 1,
      }
      const identity: Role = { ...facts, trustPolicy, type: 'role', attachedPolicies: [], tags: [], inlinePolicies: {} }
      const changes: readonly ControlChange[] = [
        { kind: 'createAccount', account },
        { kind: 'createIdentity', identity },
      ]
      for (const change of changes) {
        await metadata.commit({ tx: 'appendControl', selfRegion: 'eu-west-1', requestId: change.kind, change })
      }
    },
    async editRole(edit: IdentityEdit): Promise<void> {
      const of = { accountId: '000000000000', type: 'role', name: 'replicator' } as const
      const requestId = JSON.stringify(edit)
      await metadata.commit({ tx: 'appendControl', selfRegion: 'eu-west-1', requestId, change: { kind: 'editIdentity', of, edit } })
    },
    async reasonFor(of: {
      readonly from?: string
      readonly id?: string
      readonly controlPosition?: number
      readonly role?: string
    }): Promise<string> {
      const { from = 'us-east-1', id = ids.issue(), controlPosition = 7, role = link.role } = of
      const parts = { objects, self: 'eu-west-1', controlPosition: async () => 7, clock: { nowMs: Date.now } }
      const head = { controlPosition, links: [{ ...link, role }], versions: [versionAt(id)] }
      const received = { from, head, contents: [new IncomingBuffer(content)], signal: new AbortController().signal }
      const [answer] = await receive(parts, received)
      expect(await region.rows('SELECT id FROM versions')).toEqual([])
      return answer?.kind === 'failed' ? answer.reason : (answer?.kind ?? '')
    },
  }
}

describe('a delivery', () => {
  it('is judged by the role only when all that its region knows of roles is known here', async () => {
    const { reasonFor } = await destination()
    expect(await reasonFor({})).toBe('AssumeRoleNotPermitted')
    expect(await reasonFor({ controlPosition: 8 })).toBe('DstBehind')
  })

  it('is judged by the role of the whole ARN: the same name under another path or account is another role', async () => {
    const { reasonFor, makeRole } = await destination()
    await makeRole()
    expect(await reasonFor({})).toBe('InitiateReplicationNotPermitted')
    for (const role of ['arn:aws:iam::000000000000:role/team/replicator', 'arn:aws:iam::111111111111:role/replicator']) {
      expect(await reasonFor({ role })).toBe('AssumeRoleNotPermitted')
    }
  })

  it('is judged by a role of the account of the source bucket, and by no other account’s', async () => {
    const { reasonFor, makeRole, editRole } = await destination()
    await makeRole('f'.repeat(64))
    await editRole({ kind: 'attachPolicy', arn: 'arn:aws:iam::aws:policy/AdministratorAccess' })
    expect(await reasonFor({})).toBe('AssumeRoleNotPermitted')
  })

  it('is judged by the policies that are attached to the role too, and within its boundary', async () => {
    const { reasonFor, makeRole, editRole } = await destination()
    await makeRole()
    await editRole({ kind: 'attachPolicy', arn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' })
    expect(await reasonFor({})).toBe('DstPutObjectNotPermitted')
    await editRole({ kind: 'attachPolicy', arn: 'arn:aws:iam::aws:policy/AdministratorAccess' })
    await editRole({ kind: 'setBoundary', arn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' })
    expect(await reasonFor({})).toBe('DstPutObjectNotPermitted')
    await editRole({ kind: 'setBoundary', arn: 'arn:aws:iam::aws:policy/IAMFullAccess' })
    expect(await reasonFor({})).toBe('InitiateReplicationNotPermitted')
  })

  it('is refused from a region that the source bucket does not live in', async () => {
    const { reasonFor } = await destination()
    expect(await reasonFor({ from: 'ap-south-1' })).toBe('SrcBucketInvalidRegion')
  })

  it('is put off by itself when it was written by a clock an hour ahead of ours', async () => {
    const { reasonFor } = await destination()
    const ahead = new HybridClock({ clock: { nowMs: () => Date.now() + hourMs }, region: 'us-east-1' })
    expect(await reasonFor({ id: ahead.issue() })).toBe('SrcClockAhead')
  })
})

describe('the head of a stream', () => {
  const link = { source: { id: 'a', name: 'a' }, destination: { id: 'b', name: 'b' }, ruleId: 'r', role: 'role', owner: 'source' as const }
  const ids = new HybridClock({ clock: { nowMs: Date.now }, region: 'us-east-1' })
  const head = encodeHead({ controlPosition: 1, links: [link], versions: [JSON.stringify(versionAt(ids.issue()))] })
  async function* body() {
    yield head
    yield content
  }

  it('is believed when it has the digest that was signed, and not otherwise', async () => {
    const read = await readStreamHead(body(), hash('sha256', head))
    expect(read.head.versions).toHaveLength(1)
    for (const digest of [undefined, hash('sha256', 'another head')]) {
      await expect(readStreamHead(body(), digest)).rejects.toMatchObject({ code: 'XAmzContentSHA256Mismatch' })
    }
  })
})
