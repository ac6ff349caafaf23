/** All regions and what goes from one to the other, at a glance. */
import { useQueries } from '@tanstack/react-query'
import { ArrowRight, House } from 'lucide-react'
import { type RuleStatus, ruleStatuses } from '../api/admin.ts'
import { useSession } from '../api/session.tsx'
import { formatBytes, formatCount, formatDuration } from '../lib/format.ts'
import { Link } from '../lib/router.tsx'
import { buttonClass } from '../ui/controls.tsx'
import { Badge, Card, Empty, ErrorNote, Head, type Tone } from '../ui/parts.tsx'
import styles from './overview.module.css'

export default function Overview() {
  const { api, regions, home, caller } = useSession()
  const answers = useQueries({
    queries: regions.map(({ name }) => ({
      queryKey: ['rules', name],
      queryFn: () => ruleStatuses(api, name),
      refetchInterval: 2_000,
      enabled: caller.isOperator,
    })),
  })
  const links = linksOf(answers.flatMap(({ data }) => data ?? []))
  const refused = answers.find(({ error }) => error !== null)?.error
  return (
    <>
      <Head title="Overview" />
      {refused !== undefined && refused !== null && <ErrorNote error={refused} />}
      <ul className={styles.regions}>
        {regions.map(({ name, isReachable, isSelf, roundTripMs, s3 }) => (
          <li key={name}>
            <Card>
              <div className={styles.regionHead}>
                <h2>{name}</h2>
                {name === home && (
                  <Badge>
                    <House size={14} aria-hidden /> home
                  </Badge>
                )}
                <Badge tone={isReachable ? 'good' : 'bad'}>{isReachable ? (isSelf ? 'this one' : 'reachable') : 'unreachable'}</Badge>
              </div>
              <dl className={styles.facts}>
                <dt>S3</dt>
                <dd>
                  <code>{s3}</code>
                </dd>
                {!isSelf && roundTripMs !== null && (
                  <>
                    <dt>Round trip</dt>
                    <dd>{formatDuration(roundTripMs)}</dd>
                  </>
                )}
              </dl>
            </Card>
          </li>
        ))}
      </ul>
      <h2 className={styles.title}>Replication</h2>
      {links.length === 0 ? (
        <Empty title="Nothing is replicated yet.">
          <p>A rule copies every new version of a bucket to a bucket in another region.</p>
          <Link href="/replication/new" className={buttonClass('primary')}>
            Set up cross-region replication
          </Link>
        </Empty>
      ) : (
        <ul className={styles.links}>
          {links.map((link) => (
            <li key={`${link.from} ${link.to}`}>
              <Card className={styles.link ?? ''}>
                <span className={styles.way}>
                  {link.from} <ArrowRight size={20} aria-label="to" /> {link.to}
                </span>
                <Badge tone={link.tone}>{link.state}</Badge>
                <span>
                  {formatCount(link.pending)} waiting, {formatBytes(link.bytes)}
                  {link.oldestMs > 0 && `, the oldest for ${formatDuration(link.oldestMs)}`}
                </span>
              </Card>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

interface LinkState {
  readonly from: string
  readonly to: string
  readonly pending: number
  readonly bytes: number
  readonly failed: number
  readonly oldestMs: number
  readonly tone: Tone
  readonly state: string
}

/** Rules between the same two regions as one arrow. */
function linksOf(rules: readonly RuleStatus[]): readonly LinkState[] {
  const pairs = Map.groupBy(rules, ({ region, destination }) => `${region} ${destination.region}`)
  return [...pairs.values()].map((of) => {
    const pending = sum(of, ({ pendingOperations }) => pendingOperations)
    const failed = sum(of, (rule) => rule.failed)
    const why = of.find(({ lastError }) => pending > 0 && lastError?.code === 'DstUnreachable')
    return {
      from: of[0]?.region ?? '',
      to: of[0]?.destination.region ?? '',
      pending,
      failed,
      bytes: sum(of, ({ pendingBytes }) => pendingBytes),
      oldestMs: Math.max(0, ...of.map(({ oldestPendingAgeMs }) => oldestPendingAgeMs)),
      ...stateOf({ failed, pending, isAway: why !== undefined }),
    }
  })
}

function stateOf(of: { readonly failed: number; readonly pending: number; readonly isAway: boolean }): Pick<LinkState, 'tone' | 'state'> {
  if (of.isAway) return { tone: 'bad', state: 'peer unreachable' }
  if (of.failed > 0) return { tone: 'bad', state: `${formatCount(of.failed)} failing` }
  return of.pending > 0 ? { tone: 'wait', state: 'catching up' } : { tone: 'good', state: 'healthy' }
}

function sum<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((total, one) => total + value(one), 0)
}
