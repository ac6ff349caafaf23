/**
 * PutBucketReplication's refusals that need no look at buckets or roles. Pure: the same input gives the same configuration or error.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
 */
import { checkBucketArn, parseRoleArn } from './arn.ts'
import { S3Error } from './errors.ts'
import {
  isV2,
  type ReplicationConfiguration,
  type ReplicationRule,
  type SourceSelectionCriteria,
  type StatusElement,
} from './replication-configuration.ts'
import { checkRuleDestination } from './replication-destination.ts'
import { checkFilter, checkPrefix, hasTags } from './replication-filter.ts'
import { type ReplicationConfigurationInput, type ReplicationRuleInput, readStatus, type StatusInput } from './replication-input.ts'
import { refuseUnsupportedReplication } from './replication-unsupported.ts'

/** S3: "A replication configuration can contain up to 1,000 rules." */
const replicationRulesMax = 1000
/** S3: ReplicationRule.ID */
const ruleIdLengthMax = 255
/** S3: Priority is a 32-bit integer. */
const priorityMax = 2_147_483_647

/**
 * @param makeId  makes the ID of a rule that has none; must not repeat
 * @throws S3Error MalformedXML | InvalidArgument | InvalidRequest | NotImplemented (naming the element)
 */
export function checkReplicationConfiguration(
  input: ReplicationConfigurationInput,
  { makeId }: { readonly makeId: (index: number) => string },
): ReplicationConfiguration {
  const role = checkRoleArn(input.Role)
  const rules = input.Rule ?? []
  if (rules.length === 0) throw new S3Error('MalformedXML')
  if (rules.length > replicationRulesMax) {
    throw invalidRequest(`The number of replication rules must not exceed the allowed limit of ${replicationRulesMax} rules.`)
  }
  const version = rules.some((rule) => rule.Filter === undefined) ? 'V1' : 'V2'
  const checked = rules.map((rule, index) => checkRule(rule, { version, makeId: () => makeId(index) }))
  checkIds(checked)
  if (version === 'V1') {
    checkOneDestination(checked)
    checkPrefixesApart(checked)
  } else {
    checkPriorities(checked)
  }
  refuseUnsupportedReplication(checked)
  return { Role: role, Rule: checked }
}

function checkRoleArn(role: string | undefined): string {
  if (role === undefined || role === '') throw new S3Error('MalformedXML')
  if (parseRoleArn(role) === undefined) {
    throw new S3Error('InvalidArgument', {
      message: 'Invalid Role specified in replication configuration',
      details: { ArgumentName: 'Role', ArgumentValue: role.slice(0, 256) },
    })
  }
  return role
}

interface RuleContext {
  readonly version: 'V1' | 'V2'
  readonly makeId: () => string
}

function checkRule(rule: ReplicationRuleInput, { version, makeId }: RuleContext): ReplicationRule {
  // Status is required by the schema, unlike the Status of a rule's members.
  if (rule.Status !== 'Enabled' && rule.Status !== 'Disabled') throw new S3Error('MalformedXML')
  if ((rule.Filter === undefined) === (rule.Prefix === undefined)) throw new S3Error('MalformedXML')
  if (rule.Destination === undefined) throw new S3Error('MalformedXML')
  return version === 'V1' ? checkRuleV1(rule, makeId) : checkRuleV2(rule, makeId)
}

function checkRuleV1(rule: ReplicationRuleInput, makeId: () => string): ReplicationRule {
  const onlyV2 = {
    Priority: rule.Priority,
    DeleteMarkerReplication: rule.DeleteMarkerReplication,
    ExistingObjectReplication: rule.ExistingObjectReplication,
    ReplicaModifications: rule.SourceSelectionCriteria?.ReplicaModifications,
    ReplicationTime: rule.Destination?.ReplicationTime,
    Metrics: rule.Destination?.Metrics,
    // A rule with a Filter beside one without.
    Filter: rule.Filter,
  }
  for (const [name, value] of Object.entries(onlyV2)) {
    if (value !== undefined) throw wrongVersion(`${name} cannot be used`)
  }
  return {
    ID: checkId(rule.ID, makeId),
    Prefix: checkPrefix(rule.Prefix ?? ''),
    Status: readStatus('Rule', rule.Status),
    ...sourceSelectionCriteria(rule),
    Destination: checkRuleDestination(rule.Destination ?? {}),
  }
}

function checkRuleV2(rule: ReplicationRuleInput, makeId: () => string): ReplicationRule {
  if (rule.Priority === undefined) throw wrongVersion('Priority must be specified')
  if (rule.DeleteMarkerReplication === undefined) throw wrongVersion('DeleteMarkerReplication must be specified')
  const filter = checkFilter(rule.Filter ?? {})
  const deleteMarkers = statusElement('DeleteMarkerReplication', rule.DeleteMarkerReplication)
  if (deleteMarkers.Status === 'Enabled' && hasTags(filter)) {
    throw invalidRequest(
      'Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer Guide for more information.',
    )
  }
  return {
    ID: checkId(rule.ID, makeId),
    Priority: checkPriority(rule.Priority),
    Filter: filter,
    Status: readStatus('Rule', rule.Status),
    ...sourceSelectionCriteria(rule),
    ...(rule.ExistingObjectReplication && {
      ExistingObjectReplication: statusElement('ExistingObjectReplication', rule.ExistingObjectReplication),
    }),
    DeleteMarkerReplication: deleteMarkers,
    Destination: checkRuleDestination(rule.Destination ?? {}),
  }
}

function checkId(id: string | undefined, makeId: () => string): string {
  if (id === undefined || id === '') return makeId()
  const refused = (message: string) =>
    new S3Error('InvalidArgument', { message, details: { ArgumentName: 'ID', ArgumentValue: id.slice(0, ruleIdLengthMax) } })
  if (id.length > ruleIdLengthMax) throw refused(`Rule Id cannot be greater than ${ruleIdLengthMax}`)
  if (!/^[\x20-\x7e]*$/.test(id)) throw refused('Rule Id must be of printable ASCII characters')
  return id
}

function checkPriority(text: string): number {
  if (!/^[+-]?[0-9]{1,10}$/.test(text.trim())) throw new S3Error('MalformedXML')
  const priority = Number(text)
  if (priority < 0 || priority > priorityMax) throw invalidRequest(`Priority must be between 0 and ${priorityMax}.`)
  return priority
}

function sourceSelectionCriteria(rule: ReplicationRuleInput): { readonly SourceSelectionCriteria?: SourceSelectionCriteria } {
  const criteria = rule.SourceSelectionCriteria
  if (criteria === undefined) return {}
  const { SseKmsEncryptedObjects: kms, ReplicaModifications: replicas } = criteria
  if (kms === undefined && replicas === undefined) throw invalidRequest('SourceSelectionCriteria cannot be empty.')
  const key = rule.Destination?.EncryptionConfiguration?.ReplicaKmsKeyID
  if (kms?.Status === 'Enabled' && (key === undefined || key === '')) {
    throw invalidRequest('ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present.')
  }
  return {
    SourceSelectionCriteria: {
      ...(kms && { SseKmsEncryptedObjects: statusElement('SseKmsEncryptedObjects', kms) }),
      ...(replicas && { ReplicaModifications: statusElement('ReplicaModifications', replicas) }),
    },
  }
}

function statusElement(name: string, input: StatusInput): StatusElement {
  return { Status: readStatus(name, input.Status) }
}

function checkIds(rules: readonly ReplicationRule[]): void {
  if (new Set(rules.map((rule) => rule.ID)).size !== rules.length) throw invalidRequest('Rule Id must be unique')
}

function checkOneDestination(rules: readonly ReplicationRule[]): void {
  if (new Set(rules.map((rule) => rule.Destination.Bucket)).size > 1) {
    throw invalidRequest('Number of distinct destination bucket ARNs cannot exceed 1')
  }
}

function checkPrefixesApart(rules: readonly ReplicationRule[]): void {
  // Sorted, whatever begins with a prefix follows it at once, so that neighbours are all there is to compare.
  const prefixes = rules.flatMap((rule) => (isV2(rule) ? [] : [rule.Prefix])).sort()
  for (const [index, prefix] of prefixes.entries()) {
    const next = prefixes[index + 1]
    if (next?.startsWith(prefix)) throw invalidRequest(`Found overlapping prefixes '${prefix}' and '${next}'`)
  }
}

function checkPriorities(rules: readonly ReplicationRule[]): void {
  const taken = new Set<string>()
  for (const rule of rules) {
    if (!isV2(rule)) continue
    const place = `${rule.Priority} ${checkBucketArn(rule.Destination.Bucket)}`
    if (taken.has(place)) throw invalidRequest(`Found duplicate priority ${rule.Priority}.`)
    taken.add(place)
  }
}

function wrongVersion(what: string): S3Error {
  return invalidRequest(
    `${what} for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.`,
  )
}

function invalidRequest(message: string): S3Error {
  return new S3Error('InvalidRequest', { message })
}
