/** Somebody beside the root of the first account: users of two accounts, with the policies that a test gives them. */
import { S3Client } from '@aws-sdk/client-s3'
import type { Principal } from '../../src/access/caller.ts'
import { parsePolicy } from '../../src/model/policy-document.ts'
import { accountId, canonicalId, secretAccessKey, type TestRegion } from './region.ts'

export const otherAccountId = '210987654321'
export const otherCanonicalId = 'ca11e4'.padEnd(64, '0')

export type Statement = Readonly<Record<string, unknown>>

export const anything: Statement = { Effect: 'Allow', Action: '*', Resource: '*' }

export function identityPolicy(...statements: readonly Statement[]) {
  return parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'identity')
}

/** A user of the first account, or of the other. Without statements it has no policy. */
export function user(
  name: string,
  { of = 'first', statements = [] }: { of?: 'first' | 'other'; statements?: readonly Statement[] } = {},
): Principal {
  const account = of === 'first' ? { accountId, canonicalId } : { accountId: otherAccountId, canonicalId: otherCanonicalId }
  return {
    kind: 'user',
    ...account,
    accessKeyId: `AKIA${name.toUpperCase().padEnd(16, '0')}`,
    arn: `arn:aws:iam::${account.accountId}:user/${name}`,
    userId: `AIDA${name.toUpperCase().padEnd(16, '0')}`,
    userName: name,
    permissions: { identity: statements.length === 0 ? [] : [identityPolicy(...statements)] },
  }
}

export function rootOfOther(): Principal {
  return { ...user('root', { of: 'other' }), kind: 'root', arn: `arn:aws:iam::${otherAccountId}:root`, userId: otherAccountId }
}

export function clientOf({ accessKeyId }: Principal, { endpoint, name }: TestRegion): S3Client {
  return new S3Client({ endpoint, region: name, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 })
}
