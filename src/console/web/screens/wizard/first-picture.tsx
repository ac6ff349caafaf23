/** The end of the wizard: a picture is uploaded, and one watches it arrive. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { ArrowRight } from 'lucide-react'
import { s3Path } from '../../api/s3.ts'
import { useSession } from '../../api/session.tsx'
import { Link, pathOf } from '../../lib/router.tsx'
import { Button } from '../../ui/controls.tsx'
import { Badge, Card, ErrorNote, Head, type Tone } from '../../ui/parts.tsx'
import type { BucketChoice, Draft } from './draft.ts'
import styles from './wizard.module.css'

interface FirstPictureProps extends Pick<Draft, 'prefix' | 'tags'> {
  readonly source: BucketChoice
  readonly destination: BucketChoice
}

const pollMs = 300
const tones: Readonly<Record<string, Tone>> = { PENDING: 'wait', COMPLETED: 'good', FAILED: 'bad' }

export function FirstPicture({ source, destination, prefix, tags }: FirstPictureProps) {
  const { api } = useSession()
  const key = `${prefix}hello-${destination.region}.png`
  const upload = useMutation({
    mutationFn: async () => {
      const tagging = new URLSearchParams(tags.map(({ Key, Value }) => [Key, Value])).toString()
      const headers = { 'content-type': 'image/png', ...(tagging === '' ? {} : { 'x-amz-tagging': tagging }) }
      const answer = await api.call(s3Path({ ...source, key }), { method: 'PUT', headers, body: await picture(source, destination) })
      return answer.headers.get('x-amz-version-id') ?? undefined
    },
  })
  const versionId = upload.data
  const status = useQuery({
    queryKey: ['status', source.bucket, key, versionId],
    enabled: versionId !== undefined,
    refetchInterval: ({ state }) => (state.data === 'COMPLETED' ? false : pollMs),
    queryFn: async () => {
      const answer = await api.call(s3Path({ ...source, key, query: { versionId } }), { method: 'HEAD' })
      return answer.headers.get('x-amz-replication-status') ?? 'not replicated'
    },
  })
  const previewOf = (at: BucketChoice): string => `/preview${pathOf(at.region, at.bucket, ...key.split('/'))}?versionId=${versionId}`
  return (
    <div className={styles.page}>
      <Head title="It replicates" />
      <p>
        What is written to <bdi>{source.bucket}</bdi> from now on stands in <bdi>{destination.bucket}</bdi> a moment later. See for
        yourself:
      </p>
      <div>
        <Button kind="primary" isBusy={upload.isPending} onClick={() => upload.mutate()}>
          Upload a test picture
        </Button>
      </div>
      {upload.isError && <ErrorNote error={upload.error} />}
      {versionId !== undefined && (
        <Card>
          <div className={styles.pair}>
            <figure>
              <img src={previewOf(source)} alt="As it was uploaded" />
              <figcaption>
                {source.region}
                <br />
                <Badge tone={tones[status.data ?? ''] ?? 'plain'}>{status.data ?? '…'}</Badge>
              </figcaption>
            </figure>
            <ArrowRight size={32} aria-label="goes to" />
            <figure>
              {status.data === 'COMPLETED' ? (
                <img src={previewOf(destination)} alt="Its replica" />
              ) : (
                <div className={styles.blank} role="status" aria-label="Not there yet" />
              )}
              <figcaption>
                {destination.region}
                <br />
                {status.data === 'COMPLETED' && <Badge tone="good">REPLICA</Badge>}
              </figcaption>
            </figure>
          </div>
        </Card>
      )}
      {status.isError && <ErrorNote error={status.error} />}
      <p>
        <Link href="/">Go to the overview</Link>
      </p>
    </div>
  )
}

/** A small picture that says from where to where, drawn here so that nothing is fetched. */
async function picture(source: BucketChoice, destination: BucketChoice): Promise<Blob> {
  const canvas = new OffscreenCanvas(540, 360)
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('This browser draws no pictures.')
  const sky = context.createLinearGradient(0, 0, 0, 360)
  sky.addColorStop(0, '#0b6573')
  sky.addColorStop(1, '#7fe0d0')
  context.fillStyle = sky
  context.fillRect(0, 0, 540, 360)
  context.fillStyle = '#ffffff'
  context.font = '600 30px system-ui, sans-serif'
  context.textAlign = 'center'
  context.fillText(`${source.region}  →  ${destination.region}`, 270, 170)
  context.font = '20px system-ui, sans-serif'
  context.fillText(new Date().toISOString(), 270, 215)
  return await canvas.convertToBlob({ type: 'image/png' })
}
