/**
 * The policy of a bucket: who may do what with the bucket and what is in it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
 */
import { bucketArn } from './arn.ts'
import type { Bucket, BucketPolicy } from './bucket.ts'
import { type Matcher, type PolicyDocument, parseDocument, parseMatcher, type StatementJson } from './policy-document.ts'
import { inPlace, PolicyError } from './policy-error.ts'
import { type PrincipalIds, withPrincipalIds } from './policy-principal-ids.ts'
import { parsePrincipals } from './policy-principals.ts'
import { isS3ActionPattern } from './s3-actions.ts'
import { matchesWildcards } from './wildcard.ts'

/** S3: bytes of a bucket's policy. */
export const bucketPolicyMaxBytes = 20 * 1024

/** @throws PolicyError malformed | tooLarge; a malformed one says where */
export function parseBucketPolicy(text: string, bucketName: string): PolicyDocument {
  if (Buffer.byteLength(text) > bucketPolicyMaxBytes) {
    throw new PolicyError('tooLarge', `Policy exceeds the maximum allowed document size of ${bucketPolicyMaxBytes} bytes.`)
  }
  return parseDocument(text, 'bucket', (statement) => {
    const parts = {
      principals: parsePrincipals(statement),
      actions: parseActions(statement),
      resources: parseResources(statement, bucketName),
    }
    checkPairs(parts.actions, parts.resources, bucketName)
    return parts
  })
}

function parseActions(statement: StatementJson): Matcher {
  return inPlace(statement.NotAction === undefined ? 'Action' : 'NotAction', () => {
    const missing = 'Missing required field Action'
    const actions = parseMatcher({ plain: statement.Action, negated: statement.NotAction, missing })
    const unknown = actions.patterns.find((action) => !isS3ActionPattern(action))
    if (unknown !== undefined) throw new PolicyError('malformed', `Policy has invalid action "${unknown.slice(0, 128)}"`)
    return actions
  })
}

/** The bucket itself, or something in it: a policy speaks of no other bucket. */
function parseResources(statement: StatementJson, bucketName: string): Matcher {
  return inPlace(statement.NotResource === undefined ? 'Resource' : 'NotResource', () => {
    const missing = 'Missing required field Resource'
    const resources = parseMatcher({ plain: statement.Resource, negated: statement.NotResource, missing })
    const own = bucketArn(bucketName)
    const foreign = resources.patterns.find((resource) => resource !== own && !resource.startsWith(`${own}/`) && resource !== `${own}*`)
    if (foreign !== undefined) throw new PolicyError('malformed', `Policy has invalid resource "${foreign.slice(0, 256)}"`)
    return resources
  })
}

/** An action on objects needs a resource that is one, and an action on buckets the bucket: otherwise the statement could never say anything. */
function checkPairs(actions: Matcher, resources: Matcher, bucketName: string): void {
  if (actions.negated || resources.negated) return
  const isAboutBucket = resources.patterns.some((resource) => matchesWildcards(resource, bucketArn(bucketName)))
  const isAboutObjects = resources.patterns.some((resource) => resource !== bucketArn(bucketName))
  for (const action of actions.patterns) {
    const isPossible = (isAboutObjects && isS3ActionPattern(action, 'object')) || (isAboutBucket && isS3ActionPattern(action, 'bucket'))
    if (!isPossible) throw new PolicyError('malformed', `Action does not apply to any resource(s) in statement: "${action.slice(0, 128)}"`)
  }
}

export function policyParts(policy: BucketPolicy | string): { readonly text: string; readonly principals?: PrincipalIds } {
  return typeof policy === 'string' ? { text: policy } : policy
}

/** The policy that a bucket has. It was checked when it was put, by rules that may have been other ones: what cannot be understood closes the bucket. */
export function readBucketPolicy({ name, settings: { policy } }: Pick<Bucket, 'name' | 'settings'>): PolicyDocument | undefined {
  if (policy === undefined) return undefined
  const { text, principals } = policyParts(policy)
  try {
    return withPrincipalIds(parseBucketPolicy(text, name), principals)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return closed
  }
}

const every = { negated: false, patterns: ['*'] }
const closed: PolicyDocument = {
  kind: 'bucket',
  version: '2012-10-17',
  statements: [
    {
      effect: 'Deny',
      principals: { everyone: true, services: [], aws: [], federated: [] },
      actions: every,
      resources: every,
      conditions: [],
    },
  ],
}
