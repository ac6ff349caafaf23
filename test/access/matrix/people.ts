/** One of each kind of caller, made for one operation's actions. */

import { PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { S3Client } from '@aws-sdk/client-s3'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { createSessions } from '../../../src/access/session-tokens.ts'
import { allow, iamOf, newAccount, newRole, newUser, roleName, statements, stsOf, trusting } from '../../iam/callers.ts'
import { account, credentials, type TestNode } from '../../support/deployment.ts'
import type { CallerName } from './expected.ts'
import type { Identity } from './requests.ts'

export interface People {
  readonly identities: Readonly<Record<CallerName, Identity | undefined>>
  /** Of the named user. */
  readonly namedArn: string
  readonly roleArn: string
  /** Roots of the caller's own account, and of another that owns the foreign bucket. */
  readonly own: S3Client
  readonly foreign: S3Client
}

export async function openPeople(node: TestNode, actions: readonly string[]): Promise<People> {
  const only = allow(actions)
  const iam = iamOf(node)
  const [administrator, withActions, without, assuming] = await Promise.all([
    newUser(node, { policy: allow('*') }),
    newUser(node, { policy: only }),
    newUser(node, { policy: statements({ Effect: 'Allow', NotAction: actions, Resource: '*' }) }),
    newUser(node, { policy: allow('sts:AssumeRole') }),
  ])
  const roleArn = await newRole(node, trusting(`arn:aws:iam::${account.accountId}:root`))
  await iam.send(new PutRolePolicyCommand({ RoleName: roleName(roleArn), PolicyName: 'p', PolicyDocument: only }))
  const session = await assumed(node, { by: assuming.keys, roleArn })
  const narrowed = await assumed(node, {
    by: assuming.keys,
    roleArn,
    policy: statements({ Effect: 'Allow', NotAction: actions, Resource: '*' }),
  })
  const [neighbour, landlord] = await Promise.all([newAccount(node), newAccount(node)])
  const stranger = await newUser(node, { by: neighbour.iam, policy: allow('*') })
  const named = await newUser(node, { by: neighbour.iam, policy: allow('*') })
  return {
    identities: {
      root: credentials,
      administrator: administrator.keys,
      'user with the actions': withActions.keys,
      'user with all but the actions': without.keys,
      'user of another account': stranger.keys,
      'user of another account, named by the bucket policy': named.keys,
      'session of a role with the actions': session,
      'session that is narrowed': narrowed,
      'session that has ended': ended(node, roleArn),
      'session with an altered token': { ...session, sessionToken: altered(session.sessionToken ?? '') },
      anonymous: undefined,
    },
    namedArn: named.arn,
    roleArn,
    own: clientOf(node, credentials),
    foreign: clientOf(node, landlord.keys),
  }
}

async function assumed(node: TestNode, of: { by: Identity; roleArn: string; policy?: string }): Promise<Identity> {
  const command = new AssumeRoleCommand({
    RoleArn: of.roleArn,
    RoleSessionName: 'matrix',
    ...(of.policy !== undefined && { Policy: of.policy }),
  })
  const { Credentials: made } = await stsOf(node, of.by).send(command)
  return { accessKeyId: made?.AccessKeyId ?? '', secretAccessKey: made?.SecretAccessKey ?? '', sessionToken: made?.SessionToken ?? '' }
}

/** As it was given out two hours ago, for one. */
function ended(node: TestNode, roleArn: string): Identity {
  const issuer = { kind: 'role', accountId: account.accountId, name: roleName(roleArn), id: 'AROAENDED' } as const
  const nowMs = Date.now() - 2 * 60 * 60 * 1000
  return createSessions({ secret: node.peeringSecret }).issueSession({ issuer, sessionName: 'matrix', durationSeconds: 3600, nowMs })
}

function altered(token: string): string {
  const at = Math.floor(token.length / 2)
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

function clientOf(node: TestNode, keys: Identity): S3Client {
  return new S3Client({
    endpoint: node.endpoint,
    region: node.region,
    forcePathStyle: true,
    credentials: keys,
    maxAttempts: 1,
    requestHandler: { httpAgent: { keepAlive: false } },
  })
}
