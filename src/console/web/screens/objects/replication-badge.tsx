/** How a version's replication stands, asked once its line is seen, and again while it is under way. */
import { useQuery } from '@tanstack/react-query'
import { headObject } from '../../api/objects.ts'
import { useSession } from '../../api/session.tsx'
import { Badge, type Tone } from '../../ui/parts.tsx'

const tones: Readonly<Record<string, Tone>> = { PENDING: 'wait', COMPLETED: 'good', FAILED: 'bad', REPLICA: 'plain' }
const pollMs = 1_000

interface ReplicationBadgeProps {
  readonly at: { readonly region: string; readonly bucket: string }
  readonly objectKey: string
  readonly versionId: string | undefined
}

export function ReplicationBadge({ at, objectKey, versionId }: ReplicationBadgeProps) {
  const { api } = useSession()
  const head = useQuery({
    queryKey: ['head', at.bucket, objectKey, versionId],
    queryFn: () => headObject(api, { ...at, key: objectKey, versionId }),
    refetchInterval: ({ state }) => (statusOf(state.data) === 'PENDING' ? pollMs : false),
    staleTime: 30_000,
  })
  const status = statusOf(head.data)
  return status === undefined ? null : <Badge tone={tones[status] ?? 'plain'}>{status}</Badge>
}

function statusOf(head: ReadonlyMap<string, string> | undefined): string | undefined {
  return head?.get('x-amz-replication-status')
}
