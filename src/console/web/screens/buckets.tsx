/** All buckets, in every region. */
import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useBuckets } from '../api/buckets.ts'
import { getVersioning } from '../api/s3.ts'
import { useSession } from '../api/session.tsx'
import { formatTime } from '../lib/format.ts'
import { Link, pathOf, useRouter } from '../lib/router.tsx'
import { Button } from '../ui/controls.tsx'
import { Badge, Empty, ErrorNote, Head, Table, Waiting } from '../ui/parts.tsx'
import { CreateBucket } from './create-bucket.tsx'

export default function Buckets() {
  const { query, go } = useRouter()
  const buckets = useBuckets()
  const [isCreating, setCreating] = useState(query.has('create'))
  const close = (): void => {
    setCreating(false)
    if (query.has('create')) go('/buckets', { replace: true })
  }
  return (
    <>
      <Head title="Buckets">
        <Button kind="primary" onClick={() => setCreating(true)}>
          <Plus size={18} aria-hidden />
          Create bucket
        </Button>
      </Head>
      {buckets.isPending && <Waiting what="Asking for the buckets" />}
      {buckets.isError && <ErrorNote error={buckets.error} />}
      {buckets.data?.length === 0 && (
        <Empty title="There is no bucket yet.">
          <p>A bucket holds objects in one region. With versioning, it can be copied to another.</p>
          <Button onClick={() => setCreating(true)}>Create the first</Button>
        </Empty>
      )}
      {buckets.data !== undefined && buckets.data.length > 0 && (
        <Table head={['Name', 'Region', 'Versioning', 'Created']}>
          {buckets.data.map(({ name, region, createdAt }) => (
            <tr key={name}>
              <td>
                <Link href={pathOf('buckets', name)}>{name}</Link>
              </td>
              <td>{region}</td>
              <td>
                <Versioning region={region} bucket={name} />
              </td>
              <td>{formatTime(createdAt)}</td>
            </tr>
          ))}
        </Table>
      )}
      <CreateBucket isOpen={isCreating} onClose={close} />
    </>
  )
}

function Versioning(at: { readonly region: string; readonly bucket: string }) {
  const { api } = useSession()
  const state = useQuery({ queryKey: ['versioning', at.bucket], queryFn: () => getVersioning(api, at), staleTime: 60_000 })
  if (state.data === undefined) return <Badge>{state.isError ? 'not known' : '…'}</Badge>
  return <Badge tone={state.data === 'Enabled' ? 'good' : 'plain'}>{state.data}</Badge>
}
