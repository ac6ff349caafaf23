/** Replication rules as S3 keeps them, and the documents that a role for them needs. */
import { type Api, ApiError } from './http.ts'
import { s3Get, s3Path, s3Put } from './s3.ts'
import type { XmlElement, XmlNode } from './xml.ts'

export interface RuleTag {
  readonly Key: string
  readonly Value: string
}

/** A rule of the newer form: with a filter, a priority, and a word on delete markers. */
export interface Rule {
  readonly id: string
  readonly isEnabled: boolean
  readonly priority: number
  readonly prefix: string
  readonly tags: readonly RuleTag[]
  readonly destinationBucket: string
  readonly storageClass: string | undefined
  readonly deleteMarkers: boolean
  /** Twelve digits, where replicas become the destination's own. */
  readonly ownerOverride: string | undefined
}

export interface Replication {
  readonly role: string
  readonly rules: readonly Rule[]
}

/** @returns undefined when the bucket has none @throws ApiError */
export async function getReplication(api: Api, at: { readonly region: string; readonly bucket: string }): Promise<Replication | undefined> {
  try {
    const answer = await s3Get(api, { ...at, query: { replication: '' } })
    return { role: answer.text('Role') ?? '', rules: answer.all('Rule').map(ruleOf) }
  } catch (error) {
    if (error instanceof ApiError && error.code === 'ReplicationConfigurationNotFoundError') return undefined
    throw error
  }
}

/** @throws ApiError */
export async function putReplication(
  api: Api,
  at: { readonly region: string; readonly bucket: string },
  { role, rules }: Replication,
): Promise<void> {
  const content = { Role: role, Rule: rules.map(ruleDocument) }
  await s3Put(api, { ...at, query: { replication: '' } }, { root: 'ReplicationConfiguration', content })
}

function ruleOf(rule: XmlElement): Rule {
  const filter = rule.child('Filter')
  const and = filter?.child('And')
  const tags = and?.all('Tag') ?? filter?.all('Tag') ?? []
  const destination = rule.child('Destination')
  const isOverride = destination?.child('AccessControlTranslation') !== undefined
  return {
    id: rule.text('ID') ?? '',
    isEnabled: rule.text('Status') === 'Enabled',
    priority: rule.number('Priority') ?? 0,
    prefix: and?.text('Prefix') ?? filter?.text('Prefix') ?? rule.text('Prefix') ?? '',
    tags: tags.map((tag) => ({ Key: tag.text('Key') ?? '', Value: tag.text('Value') ?? '' })),
    destinationBucket: (destination?.text('Bucket') ?? '').replace(/^arn:aws:s3:::/, ''),
    storageClass: destination?.text('StorageClass'),
    deleteMarkers: rule.child('DeleteMarkerReplication')?.text('Status') === 'Enabled',
    ownerOverride: isOverride ? destination?.text('Account') : undefined,
  }
}

/** In S3's order of elements. */
export function ruleDocument(rule: Rule): XmlNode {
  const { ownerOverride } = rule
  return {
    ID: rule.id,
    Priority: rule.priority,
    Status: rule.isEnabled ? 'Enabled' : 'Disabled',
    Filter: filterDocument(rule),
    Destination: {
      Bucket: `arn:aws:s3:::${rule.destinationBucket}`,
      Account: ownerOverride,
      StorageClass: rule.storageClass,
      AccessControlTranslation: ownerOverride === undefined ? undefined : { Owner: 'Destination' },
    },
    DeleteMarkerReplication: { Status: rule.deleteMarkers ? 'Enabled' : 'Disabled' },
  }
}

function filterDocument({ prefix, tags }: Pick<Rule, 'prefix' | 'tags'>): XmlNode {
  const [only] = tags
  if (only === undefined) return { Prefix: prefix }
  if (tags.length === 1 && prefix === '') return { Tag: { Key: only.Key, Value: only.Value } }
  return { And: { Prefix: prefix === '' ? undefined : prefix, Tag: tags.map(({ Key, Value }) => ({ Key, Value })) } }
}

/** Who may take the role: S3 alone. */
export const trustForReplication = JSON.stringify(
  {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  },
  null,
  2,
)

/** What the role needs for a rule: to read the source, to write the destination. */
export function policyForReplication(of: {
  readonly source: string
  readonly destination: string
  readonly hasOwnerOverride: boolean
}): string {
  const source = `arn:aws:s3:::${of.source}`
  const destination = `arn:aws:s3:::${of.destination}`
  return JSON.stringify(
    {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['s3:GetReplicationConfiguration', 's3:ListBucket'], Resource: source },
        {
          Effect: 'Allow',
          Action: ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
          Resource: `${source}/*`,
        },
        {
          Effect: 'Allow',
          Action: [
            's3:ReplicateObject',
            's3:ReplicateDelete',
            's3:ReplicateTags',
            ...(of.hasOwnerOverride ? ['s3:ObjectOwnerOverrideToBucketOwner'] : []),
          ],
          Resource: `${destination}/*`,
        },
      ],
    },
    null,
    2,
  )
}

/** @throws ApiError */
export async function deleteReplication(api: Api, at: { readonly region: string; readonly bucket: string }): Promise<void> {
  await api.call(s3Path({ ...at, query: { replication: '' } }), { method: 'DELETE' })
}
