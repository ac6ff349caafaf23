/** Where a version goes, and how far it is: one line a destination, with a way to its replica. */
import { useQuery } from '@tanstack/react-query'
import { useBuckets } from '../../api/buckets.ts'
import { getReplication } from '../../api/replication.ts'
import { useSession } from '../../api/session.tsx'
import { Link, pathOf } from '../../lib/router.tsx'
import { buttonClass } from '../../ui/controls.tsx'
import styles from './object.module.css'

interface ReplicationPanelProps {
  readonly at: { readonly region: string; readonly bucket: string }
  readonly objectKey: string
  readonly versionId: string | undefined
  readonly status: string | undefined
}

export function ReplicationPanel({ at, objectKey, versionId, status }: ReplicationPanelProps) {
  const { api } = useSession()
  const replication = useQuery({ queryKey: ['replication', at.bucket], queryFn: () => getReplication(api, at) })
  const buckets = useBuckets()
  if (status === 'REPLICA') return <p>This is a replica. Its source is in another region.</p>
  if (status === undefined) return <p>No rule took this version when it was written.</p>
  const destinations = new Set(replication.data?.rules.map(({ destinationBucket }) => destinationBucket))
  return (
    <ul className={styles.lines}>
      {[...destinations].map((bucket) => {
        const region = buckets.data?.find(({ name }) => name === bucket)?.region
        const query = versionId === undefined ? '' : `?versionId=${encodeURIComponent(versionId)}`
        return (
          <li key={bucket}>
            <p>
              to <bdi>{bucket}</bdi> {region !== undefined && `in ${region}`}
            </p>
            {region !== undefined && status === 'COMPLETED' && (
              <Link className={buttonClass()} href={pathOf('object', region, bucket, ...objectKey.split('/')) + query}>
                Open replica
              </Link>
            )}
          </li>
        )
      })}
    </ul>
  )
}
