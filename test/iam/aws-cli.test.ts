/** The walk-through of AWS's own pages, with AWS's own client. */
import { spawn, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { account, credentials, newName, rootArn, useDeployment } from '../support/deployment.ts'
import type { Keys } from './callers.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })
const isInstalled = spawnSync('aws', ['--version']).status === 0
if (!isInstalled) process.stderr.write('\nSKIPPED: aws-cli is not on this machine, and its tests did not run.\n')

interface Words {
  readonly words: readonly string[]
  readonly keys?: Keys
}

function aws(
  region: string,
  { words, keys = credentials }: Words,
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn('aws', ['--endpoint-url', node(region).endpoint, '--region', region, '--output', 'json', ...words], {
    env: {
      PATH: process.env.PATH,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      ...(keys.sessionToken !== undefined && { AWS_SESSION_TOKEN: keys.sessionToken }),
      AWS_CONFIG_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })))
}

async function json(region: string, ...words: string[]) {
  const { code, out, err } = await aws(region, { words })
  expect([code, err]).toEqual([0, ''])
  return out === '' ? undefined : JSON.parse(out)
}

const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }],
}

describe.skipIf(!isInstalled)('aws-cli', () => {
  it('makes two buckets, a role and its policy, and a rule, and reads them back', { timeout: 120_000 }, async () => {
    const [source, destination, role] = [newName('source'), newName('destination'), newName('role')]
    await json('us-east-1', 's3api', 'create-bucket', '--bucket', source)
    const made = await json(
      'eu-west-1',
      's3api',
      'create-bucket',
      '--bucket',
      destination,
      '--create-bucket-configuration',
      'LocationConstraint=eu-west-1',
    )
    expect(made).toEqual({ Location: `/${destination}` })
    for (const [region, bucket] of [
      ['us-east-1', source],
      ['eu-west-1', destination],
    ] as const) {
      await json(region, 's3api', 'put-bucket-versioning', '--bucket', bucket, '--versioning-configuration', 'Status=Enabled')
    }

    const { Role } = await json(
      'us-east-1',
      'iam',
      'create-role',
      '--role-name',
      role,
      '--assume-role-policy-document',
      JSON.stringify(trust),
    )
    expect(Role).toMatchObject({ RoleName: role, Arn: `arn:aws:iam::${account.accountId}:role/${role}`, AssumeRolePolicyDocument: trust })
    const policy = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: ['s3:ReplicateObject'], Resource: `arn:aws:s3:::${destination}/*` }],
    }
    await json(
      'us-east-1',
      'iam',
      'put-role-policy',
      '--role-name',
      role,
      '--policy-name',
      'replicate',
      '--policy-document',
      JSON.stringify(policy),
    )
    expect(await json('us-east-1', 'iam', 'get-role-policy', '--role-name', role, '--policy-name', 'replicate')).toEqual({
      RoleName: role,
      PolicyName: 'replicate',
      PolicyDocument: policy,
    })

    const configuration = {
      Role: Role.Arn,
      Rules: [
        {
          ID: 'all',
          Status: 'Enabled',
          Priority: 1,
          DeleteMarkerReplication: { Status: 'Disabled' },
          Filter: {},
          Destination: { Bucket: `arn:aws:s3:::${destination}` },
        },
      ],
    }
    const file = JSON.stringify(configuration)
    await json('us-east-1', 's3api', 'put-bucket-replication', '--bucket', source, '--replication-configuration', file)
    const read = await json('us-east-1', 's3api', 'get-bucket-replication', '--bucket', source)
    expect(read).toEqual({ ReplicationConfiguration: configuration })
  })

  it('asks who is asking, and is told what is not implemented', async () => {
    expect(await json('us-east-1', 'sts', 'get-caller-identity')).toEqual({
      UserId: account.accountId,
      Account: account.accountId,
      Arn: rootArn,
    })
    const { code, err } = await aws('us-east-1', { words: ['iam', 'create-login-profile', '--user-name', 'u', '--password', 'p'] })
    expect(code).not.toBe(0)
    expect(err).toContain('The action CreateLoginProfile is not implemented')
  })

  it('makes a user with a key and a role, and the user becomes the role', { timeout: 120_000 }, async () => {
    const [user, group, role] = [newName('user'), newName('group'), newName('role')]
    const iam = (...words: string[]) => json('us-east-1', 'iam', ...words)
    const made = await iam('create-user', '--user-name', user, '--path', '/staff/', '--tags', 'Key=team,Value=harbour')
    expect(made.User).toMatchObject({ UserName: user, Path: '/staff/', Tags: [{ Key: 'team', Value: 'harbour' }] })
    const { AccessKey } = await iam('create-access-key', '--user-name', user)
    await iam('create-group', '--group-name', group)
    await iam('add-user-to-group', '--group-name', group, '--user-name', user)
    const document = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iam:Get*', Resource: '*' }] })
    const { Policy } = await iam('create-policy', '--policy-name', newName('policy'), '--policy-document', document)
    await iam('attach-group-policy', '--group-name', group, '--policy-arn', Policy.Arn)
    expect((await iam('list-entities-for-policy', '--policy-arn', Policy.Arn)).PolicyGroups).toMatchObject([{ GroupName: group }])

    const trustUser = { ...trust, Statement: [{ Effect: 'Allow', Principal: { AWS: made.User.Arn }, Action: 'sts:AssumeRole' }] }
    const { Role } = await iam('create-role', '--role-name', role, '--assume-role-policy-document', JSON.stringify(trustUser))
    const own = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
    const read = await aws('eu-west-1', { words: ['iam', 'get-user'], keys: own })
    expect(JSON.parse(read.out).User.Arn).toBe(made.User.Arn)
    const words = ['sts', 'assume-role', '--role-arn', Role.Arn, '--role-session-name', 'visit']
    const { Credentials } = JSON.parse((await aws('us-east-1', { words, keys: own })).out)
    const keys = {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
    }
    const who = await aws('eu-west-1', { words: ['sts', 'get-caller-identity'], keys })
    expect(JSON.parse(who.out).Arn).toBe(`arn:aws:sts::${account.accountId}:assumed-role/${role}/visit`)
    const refused = await aws('us-east-1', { words: ['iam', 'create-user', '--user-name', 'x'], keys })
    expect(refused.err).toContain('AccessDenied')
  })
})
