/** A metadata store with an account in it, and short words for what is made there. */
import { randomBytes } from 'node:crypto'
import { createKeySealing, type KeyPair } from '../../src/access/access-keys.ts'
import { createKeys, type Keys } from '../../src/access/credentials.ts'
import { createSessions, type SessionIssuer } from '../../src/access/session-tokens.ts'
import type { Metadata } from '../../src/metadata/engine.ts'
import type { Identity, IdentityKey, User } from '../../src/model/identities.ts'
import type { IdentityChange, IdentityEdit } from '../../src/model/identity-changes.ts'
import type { Role } from '../../src/model/role.ts'
import { openRegion } from '../metadata/behaviour/region.ts'

export const accountId = '111122223333'
export const canonicalId = 'a'.repeat(64)
export const root = {
  accountId: '123456789012',
  canonicalId: 'c'.repeat(64),
  rootAccessKeyId: 'AKIATESTTESTTESTTEST',
  rootSecretAccessKey: 'not-a-secret-of-anybody',
}

export const policyOf = (Effect: 'Allow' | 'Deny', Action: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Action, Resource: '*' }] })
export const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
})

export class Identities {
  readonly metadata: Metadata
  readonly secret = 'the secret of the deployment'
  readonly sealing = createKeySealing({ secret: this.secret })
  readonly sessions = createSessions({ secret: this.secret })
  readonly keys: Keys

  private constructor(metadata: Metadata) {
    this.metadata = metadata
    const peerKeyOf = (id: string) => (id === 'farshore-peer-x' ? { region: 'x', secretAccessKey: 's' } : undefined)
    this.keys = createKeys(root, peerKeyOf, { metadata, sealing: this.sealing, sessions: this.sessions })
  }

  /** With the account made, and its root's key. */
  static async open(): Promise<{ readonly identities: Identities; readonly rootKey: KeyPair }> {
    const identities = new Identities((await openRegion()).metadata)
    const { sealedSecret, ...rootKey } = identities.sealing.make()
    await identities.change({
      kind: 'createAccount',
      account: { accountId, canonicalId, displayName: 'one', status: 'active', createdMs: 1 },
      rootKey: { accountId, accessKeyId: rootKey.accessKeyId, status: 'Active', createdMs: 1, sealedSecret },
    })
    return { identities, rootKey }
  }

  async change(change: IdentityChange): Promise<void> {
    await this.metadata.commit({ tx: 'appendControl', selfRegion: 'us-east-1', requestId: randomBytes(8).toString('hex'), change })
  }

  create(identity: Identity): Promise<void> {
    return this.change({ kind: 'createIdentity', identity })
  }

  edit({ type, name }: Pick<IdentityKey, 'type' | 'name'>, edit: IdentityEdit): Promise<void> {
    return this.change({ kind: 'editIdentity', of: { accountId, type, name }, edit })
  }

  delete({ type, name }: Pick<IdentityKey, 'type' | 'name'>): Promise<void> {
    return this.change({ kind: 'deleteIdentity', of: { accountId, type, name } })
  }

  async key(userName: string): Promise<KeyPair> {
    const { sealedSecret, ...pair } = this.sealing.make()
    const key = { accountId, userName, accessKeyId: pair.accessKeyId, status: 'Active', createdMs: 1, sealedSecret } as const
    await this.change({ kind: 'createAccessKey', key })
    return pair
  }

  /** What a policy that is made anew says. */
  async policy(name: string, document: string): Promise<string> {
    const arn = `arn:aws:iam::${accountId}:policy/${name}`
    const versions = [{ id: 'v1', document, createdMs: 1 }]
    const about = { accountId, name, path: '/', arn, id: `ANPA${name}`, createdMs: 1, updatedMs: 1 }
    await this.create({ type: 'policy', ...about, versions, defaultVersionId: 'v1', nextVersion: 2, tags: [] })
    return arn
  }

  issue(issuer: SessionIssuer, more: { readonly policies?: readonly string[]; readonly policyArns?: readonly string[] } = {}) {
    return this.sessions.issueSession({ issuer, sessionName: 'me', durationSeconds: 3600, nowMs: Date.now(), ...more })
  }
}

const bare = { inlinePolicies: {}, attachedPolicies: [], createdMs: 1 }

export function userOf(name: string): User {
  const arn = `arn:aws:iam::${accountId}:user/${name}`
  return { type: 'user', accountId, name, path: '/', arn, id: `AIDA${name}`, ...bare, groups: [], tags: [] }
}

export function roleOf(name: string, id = `AROA${name}`): Role {
  const arn = `arn:aws:iam::${accountId}:role/${name}`
  return { type: 'role', accountId, name, path: '/', arn, id, ...bare, trustPolicy: trust, tags: [] }
}

export function groupOf(name: string): Identity {
  const arn = `arn:aws:iam::${accountId}:group/${name}`
  return { type: 'group', accountId, name, path: '/', arn, id: `AGPA${name}`, ...bare }
}
