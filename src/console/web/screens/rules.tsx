/** All rules of all regions: where from, where to, how they stand; pause, resume, delete. */
import { useMutation, useQueries, useQueryClient } from '@tanstack/react-query'
import { ArrowRight, Pause, Play, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { ruleStatuses } from '../api/admin.ts'
import { useBuckets } from '../api/buckets.ts'
import { deleteReplication, getReplication, putReplication } from '../api/replication.ts'
import { useSession } from '../api/session.tsx'
import { formatBytes, formatCount, formatDuration } from '../lib/format.ts'
import { Link } from '../lib/router.tsx'
import { Button, buttonClass } from '../ui/controls.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { useNotify } from '../ui/notices.tsx'
import { Badge, Empty, ErrorNote, Head, Table, Waiting } from '../ui/parts.tsx'
import styles from './rules.module.css'
import { type RuleRow, ruleRows, stateOf } from './rules-facts.ts'

const head = ['From and to', 'What', 'State', 'Waiting', 'Failed', 'Last error', 'Actions'] as const

export default function Rules() {
  const { rows, error, isPending } = useRules()
  return (
    <>
      <Head title="Replication rules">
        <Link href="/replication/new" className={buttonClass('primary')}>
          <Plus size={18} aria-hidden />
          Set up replication
        </Link>
      </Head>
      {error !== undefined && <ErrorNote error={error} />}
      {isPending && <Waiting what="Asking for the rules" />}
      {!isPending && rows.length === 0 && (
        <Empty title="There is no rule yet.">
          <p>A rule copies every new version of a bucket to a bucket in another region.</p>
          <Link href="/replication/new" className={buttonClass('primary')}>
            Set up cross-region replication
          </Link>
        </Empty>
      )}
      {rows.length > 0 && (
        <Table head={head}>
          {rows.map((row) => (
            <RuleLine key={`${row.bucket} ${row.rule.id}`} row={row} />
          ))}
        </Table>
      )}
    </>
  )
}

/** Every bucket's configuration, and the operator's view of what waits and fails. */
function useRules() {
  const { api, regions, caller } = useSession()
  const buckets = useBuckets()
  const configurations = useQueries({
    queries: (buckets.data ?? []).map(({ name: bucket, region }) => ({
      queryKey: ['replication', bucket],
      queryFn: async () => ({ bucket, region, replication: await getReplication(api, { bucket, region }) }),
      staleTime: 30_000,
    })),
  })
  const statuses = useQueries({
    queries: regions.map(({ name }) => ({
      queryKey: ['rules', name],
      queryFn: () => ruleStatuses(api, name),
      refetchInterval: 2_000,
      enabled: caller.isOperator,
    })),
  })
  const rows = ruleRows({
    configurations: configurations.flatMap(({ data }) => data ?? []),
    statuses: statuses.flatMap(({ data }) => data ?? []),
  })
  const error = [buckets, ...configurations, ...statuses].find((one) => one.error !== null)?.error ?? undefined
  return { rows, error, isPending: buckets.isPending || configurations.some((one) => one.isPending) }
}

function RuleLine({ row }: { readonly row: RuleRow }) {
  const { rule, status } = row
  const state = stateOf(row)
  return (
    <tr>
      <td>
        <span className={styles.way}>
          <span>
            <bdi>{row.bucket}</bdi>
            <small className={styles.small}>{row.region}</small>
          </span>
          <ArrowRight size={18} aria-label="to" />
          <span>
            <bdi>{rule.destinationBucket}</bdi>
            <small className={styles.small}>{status?.destination.region}</small>
          </span>
        </span>
      </td>
      <td>
        <bdi className={styles.what}>{whatOf(row)}</bdi>
        {row.shadowedBy !== undefined && <Badge tone="bad">takes nothing: {row.shadowedBy} goes before it</Badge>}
        {row.shadowedBy === undefined && row.overlaps.length > 0 && <Badge tone="wait">overlaps {row.overlaps.join(', ')}</Badge>}
      </td>
      <td>
        <Badge tone={state.tone}>{state.text}</Badge>
      </td>
      <td>
        {status === undefined ? '–' : `${formatCount(status.pendingOperations)}, ${formatBytes(status.pendingBytes)}`}
        {status !== undefined && status.oldestPendingAgeMs > 0 && (
          <small className={styles.small}>oldest {formatDuration(status.oldestPendingAgeMs)}</small>
        )}
      </td>
      <td>{status === undefined ? '–' : formatCount(status.failed)}</td>
      <td>{status?.lastError === null || status === undefined ? '–' : <bdi>{status.lastError.message}</bdi>}</td>
      <td>
        <Actions row={row} />
      </td>
    </tr>
  )
}

function whatOf({ rule }: RuleRow): string {
  const parts = [
    ...(rule.prefix === '' ? [] : [rule.prefix]),
    ...rule.tags.map(({ Key, Value }) => `${Key}=${Value}`),
    ...(rule.storageClass === undefined ? [] : [`as ${rule.storageClass}`]),
  ]
  return parts.length === 0 ? 'everything' : parts.join(', ')
}

function Actions({ row }: { readonly row: RuleRow }) {
  const { api } = useSession()
  const queries = useQueryClient()
  const notify = useNotify()
  const [isAsking, setAsking] = useState(false)
  const { region, bucket, role, rule } = row
  const at = { region, bucket }
  const changing = useMutation({
    /** The configuration is read once more: another rule of it may have been changed meanwhile. */
    mutationFn: async (how: 'toggle' | 'delete') => {
      const standing = (await getReplication(api, at))?.rules ?? []
      const rules =
        how === 'delete'
          ? standing.filter(({ id }) => id !== rule.id)
          : standing.map((one) => (one.id === rule.id ? { ...one, isEnabled: !rule.isEnabled } : one))
      if (rules.length === 0) await deleteReplication(api, at)
      else await putReplication(api, at, { role, rules })
    },
    onSuccess: async () => {
      setAsking(false)
      await queries.invalidateQueries({ queryKey: ['replication', bucket] })
    },
    onError: (error) => notify('bad', error.message),
  })
  return (
    <span className={styles.actions}>
      <Button
        kind="quiet"
        isBusy={changing.isPending && !isAsking}
        onClick={() => changing.mutate('toggle')}
        aria-label={`${rule.isEnabled ? 'Pause' : 'Resume'} the rule ${rule.id}`}
      >
        {rule.isEnabled ? <Pause size={16} aria-hidden /> : <Play size={16} aria-hidden />}
        {rule.isEnabled ? 'Pause' : 'Resume'}
      </Button>
      <Button kind="quiet" onClick={() => setAsking(true)} aria-label={`Delete the rule ${rule.id}`}>
        <Trash2 size={16} aria-hidden />
      </Button>
      <Dialog
        title="Delete this rule?"
        about={`What is written to ${bucket} from then on stays in ${region}. Copies that are there already stay too.`}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
      >
        <DialogActions>
          <Button onClick={() => setAsking(false)}>Keep it</Button>
          <Button kind="danger" isBusy={changing.isPending} onClick={() => changing.mutate('delete')}>
            Delete the rule
          </Button>
        </DialogActions>
      </Dialog>
    </span>
  )
}
