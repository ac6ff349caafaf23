/** The walk-through of AWS's own pages, with AWS's own client. */
import { spawn, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { account, credentials, newName, rootArn, useDeployment } from '../support/deployment.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })
const isInstalled = spawnSync('aws', ['--version']).status === 0
if (!isInstalled) process.stderr.write('\nSKIPPED: aws-cli is not on this machine, and its tests did not run.\n')

function aws(region: string, ...words: string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn('aws', ['--endpoint-url', node(region).endpoint, '--region', region, '--output', 'json', ...words], {
    env: {
      PATH: process.env.PATH,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
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
  const { code, out, err } = await aws(region, ...words)
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
    const { code, err } = await aws('us-east-1', 'iam', 'create-login-profile', '--user-name', 'u', '--password', 'p')
    expect(code).not.toBe(0)
    expect(err).toContain('The action CreateLoginProfile is not implemented')
  })
})
