/** Accounts, users and sessions of a real region, and the SDK's clients for them. */

import { createHash, randomInt } from 'node:crypto'
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { type Credentials, STSClient } from '@aws-sdk/client-sts'
import { account, newName, credentials as rootCredentials, type TestNode } from '../support/deployment.ts'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** No client keeps a connection: there are more of them than a server takes. */
const requestHandler = { httpAgent: { keepAlive: false } }

export function iamOf(node: TestNode, credentials: Keys = rootCredentials): IAMClient {
  return new IAMClient({ endpoint: node.endpoint, region: node.region, credentials, maxAttempts: 1, requestHandler })
}

export function stsOf(node: TestNode, credentials: Keys = rootCredentials): STSClient {
  return new STSClient({ endpoint: node.endpoint, region: node.region, credentials, maxAttempts: 1, requestHandler })
}

export function statements(...list: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: list })
}

export const allow = (Action: string | readonly string[], Resource: string | readonly string[] = '*', more = {}) =>
  statements({ Effect: 'Allow', Action, Resource, ...more })

export const trusting = (AWS: string, Condition: object = {}) =>
  statements({ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole', Condition })

export interface TestUser {
  readonly name: string
  readonly arn: string
  readonly keys: Keys
  readonly iam: IAMClient
  readonly sts: STSClient
}

/** A user with a key, and with this inline policy if one is given. */
export async function newUser(
  node: TestNode,
  { policy, by, attached }: { policy?: string; by?: IAMClient; attached?: string } = {},
): Promise<TestUser> {
  const iam = by ?? iamOf(node)
  const UserName = newName('user')
  const { User } = await iam.send(new CreateUserCommand({ UserName }))
  if (policy !== undefined) await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: policy }))
  if (attached !== undefined) await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: attached }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  const keys = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  return { name: UserName, arn: User?.Arn ?? '', keys, iam: iamOf(node, keys), sts: stsOf(node, keys) }
}

/** @returns its ARN */
export async function newRole(
  node: TestNode,
  trust: string,
  { by, ...more }: { by?: IAMClient; MaxSessionDuration?: number; Tags?: { Key: string; Value: string }[] } = {},
): Promise<string> {
  const command = new CreateRoleCommand({ RoleName: newName('role'), AssumeRolePolicyDocument: trust, ...more })
  return (await (by ?? iamOf(node)).send(command)).Role?.Arn ?? ''
}

export const roleName = (arn: string) => arn.slice(arn.lastIndexOf('/') + 1)

/** Another account, with the key of its root. */
export async function newAccount(node: TestNode): Promise<{ readonly accountId: string; readonly keys: Keys; readonly iam: IAMClient }> {
  const accountId = String(randomInt(2 * 10 ** 11, 10 ** 12 / 4))
  const canonicalId = createHash('sha256').update(accountId).digest('hex')
  const { sealedSecret, ...keys } = node.accessKeys.make()
  const createdMs = Date.now()
  await node.control.changeIdentities({
    kind: 'createAccount',
    account: { accountId, canonicalId, displayName: newName('account'), status: 'active', createdMs },
    rootKey: { accessKeyId: keys.accessKeyId, accountId, status: 'Active', createdMs, sealedSecret },
  })
  return { accountId, keys, iam: iamOf(node, keys) }
}

export function keysOf(issued: Credentials | undefined): Keys {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = issued ?? {}
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
}

export const homeAccount = account.accountId
