/** Rules of all regions with what is known of them: pure. */
import type { RuleStatus } from '../api/admin.ts'
import type { Replication, Rule } from '../api/replication.ts'
import type { Tone } from '../ui/parts.tsx'

export interface RuleRow {
  readonly region: string
  readonly bucket: string
  readonly role: string
  readonly rule: Rule
  /** Undefined for who may not ask, and while it is asked. */
  readonly status: RuleStatus | undefined
  /** Another rule to the same bucket that goes before this one for all that this one takes. */
  readonly shadowedBy: string | undefined
  /** Rules to the same bucket that take some of the same objects. */
  readonly overlaps: readonly string[]
}

export function ruleRows(of: {
  readonly configurations: readonly { readonly region: string; readonly bucket: string; readonly replication: Replication | undefined }[]
  readonly statuses: readonly RuleStatus[]
}): readonly RuleRow[] {
  return of.configurations.flatMap(({ region, bucket, replication }) =>
    (replication?.rules ?? []).map((rule) => {
      const rivals = replication?.rules.filter((other) => other !== rule && meets(rule, other)) ?? []
      return {
        region,
        bucket,
        role: replication?.role ?? '',
        rule,
        status: of.statuses.find((one) => one.region === region && one.bucket === bucket && one.ruleId === rule.id),
        shadowedBy: rivals.find((other) => other.priority > rule.priority && takesAllOf(other, rule))?.id,
        overlaps: rivals.map(({ id }) => id),
      }
    }),
  )
}

/** Whether some object may be taken by both, to one bucket. */
function meets(a: Rule, b: Rule): boolean {
  if (!a.isEnabled || !b.isEnabled || a.destinationBucket !== b.destinationBucket) return false
  return a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)
}

function takesAllOf(wide: Rule, narrow: Rule): boolean {
  const hasAll = wide.tags.every((tag) => narrow.tags.some(({ Key, Value }) => Key === tag.Key && Value === tag.Value))
  return narrow.prefix.startsWith(wide.prefix) && hasAll
}

export function stateOf({ rule, status }: Pick<RuleRow, 'rule' | 'status'>): { readonly tone: Tone; readonly text: string } {
  if (!rule.isEnabled) return { tone: 'plain', text: 'paused' }
  if (status === undefined) return { tone: 'plain', text: 'enabled' }
  if (status.failed > 0) return { tone: 'bad', text: 'failing' }
  if (status.pendingOperations === 0) return { tone: 'good', text: 'healthy' }
  return status.lastError?.code === 'DstUnreachable' ? { tone: 'bad', text: 'peer unreachable' } : { tone: 'wait', text: 'catching up' }
}
