/**
 * Managed policies that every account finds ready, under the names and ARNs that clients know.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
import type { ManagedPolicy } from './identities.ts'

type Statement = Readonly<Record<string, unknown>>

const prefix = 'arn:aws:iam::aws:policy/'

/** The day on which AWS made its first ones. */
const createdMs = Date.UTC(2015, 1, 6, 18, 39)

export const awsManagedPolicies: readonly ManagedPolicy[] = [
  awsPolicy({
    name: 'AdministratorAccess',
    id: 'ANPAIWMBCKSKIEE64ZLYK',
    description: 'Provides full access to AWS services and resources.',
    statement: { Action: '*', Resource: '*' },
  }),
  awsPolicy({
    name: 'AmazonS3FullAccess',
    id: 'ANPAIFIR6V6BVTRAHWINE',
    description: 'Provides full access to all buckets.',
    statement: { Action: 's3:*', Resource: '*' },
  }),
  awsPolicy({
    name: 'AmazonS3ReadOnlyAccess',
    id: 'ANPAIZTJ4DXE7G6AGAE6M',
    description: 'Provides read only access to all buckets.',
    statement: { Action: ['s3:Get*', 's3:List*', 's3:Describe*'], Resource: '*' },
  }),
  awsPolicy({
    name: 'IAMFullAccess',
    id: 'ANPAI7XKCFMBPM3QQRRVQ',
    description: 'Provides full access to IAM.',
    statement: { Action: 'iam:*', Resource: '*' },
  }),
  awsPolicy({
    name: 'IAMReadOnlyAccess',
    id: 'ANPAJKSO7NDY4T57MWDSQ',
    description: 'Provides read only access to IAM.',
    statement: {
      Action: ['iam:GenerateCredentialReport', 'iam:GenerateServiceLastAccessedDetails', 'iam:Get*', 'iam:List*', 'iam:Simulate*'],
      Resource: '*',
    },
  }),
]

export function isAwsManagedArn(arn: string): boolean {
  return arn.startsWith(prefix)
}

export function awsManagedPolicy(arn: string): ManagedPolicy | undefined {
  return awsManagedPolicies.find((policy) => policy.arn === arn)
}

function awsPolicy(of: {
  readonly name: string
  readonly id: string
  readonly description: string
  readonly statement: Statement
}): ManagedPolicy {
  const { name, id, description, statement } = of
  const document = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] })
  return {
    type: 'policy',
    accountId: 'aws',
    name,
    path: '/',
    arn: `${prefix}${name}`,
    id,
    createdMs,
    updatedMs: createdMs,
    description,
    versions: [{ id: 'v1', document, createdMs }],
    defaultVersionId: 'v1',
    nextVersion: 2,
    tags: [],
  }
}
