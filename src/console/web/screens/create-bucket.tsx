/** The dialog that makes a bucket. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { createBucket } from '../api/s3.ts'
import { useSession } from '../api/session.tsx'
import { AwsCli, quoted } from '../ui/aws-cli.tsx'
import { Button, CheckField, SelectField, TextField } from '../ui/controls.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { useNotify } from '../ui/notices.tsx'
import { ErrorNote } from '../ui/parts.tsx'

export function CreateBucket({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const { api, regions, self } = useSession()
  const [bucket, setBucket] = useState('')
  const [region, setRegion] = useState(self)
  const [isVersioned, setVersioned] = useState(true)
  const queries = useQueryClient()
  const notify = useNotify()
  const creation = useMutation({
    mutationFn: () => createBucket(api, { region, bucket, isVersioned }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['buckets'] })
      notify('good', `The bucket ${bucket} is there, in ${region}.`)
      setBucket('')
      onClose()
    },
  })
  const problem = bucket === '' ? undefined : nameProblem(bucket)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (problem === undefined) creation.mutate()
  }
  return (
    <Dialog title="Create bucket" isOpen={isOpen} onClose={onClose}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 'var(--space-4)' }}>
        <TextField
          label="Name"
          value={bucket}
          onChange={(event) => setBucket(event.target.value)}
          problem={problem}
          hint="3 to 63 small letters, digits, dots and hyphens. One name is for all regions."
          required
          autoFocus
          spellCheck={false}
        />
        <SelectField label="Region" value={region} onChange={(event) => setRegion(event.target.value)}>
          {regions.map(({ name, isReachable }) => (
            <option key={name} value={name} disabled={!isReachable}>
              {name}
              {isReachable ? '' : ' (cannot be reached)'}
            </option>
          ))}
        </SelectField>
        <CheckField
          label="Keep versions"
          checked={isVersioned}
          onChange={(event) => setVersioned(event.target.checked)}
          hint="Overwritten and deleted objects stay, until a rule or somebody removes them. Replication needs it."
        />
        {creation.isError && <ErrorNote error={creation.error} />}
        <AwsCli commands={commandsFor({ bucket: bucket === '' ? 'NAME' : bucket, region, isVersioned })} />
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" isBusy={creation.isPending} disabled={bucket === '' || problem !== undefined}>
            Create
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

/** What S3 would refuse, said while it is typed. */
export function nameProblem(name: string): string | undefined {
  if (/[A-Z]/.test(name)) return 'Only small letters.'
  if (!/^[a-z0-9.-]*$/.test(name)) return 'Only letters, digits, dots and hyphens.'
  if (name.length < 3) return 'At least 3 characters.'
  if (name.length > 63) return 'At most 63 characters.'
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return 'A letter or digit at both ends.'
  if (name.includes('..')) return 'No two dots side by side.'
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return 'Not the form of an IP address.'
  return undefined
}

function commandsFor(of: { readonly bucket: string; readonly region: string; readonly isVersioned: boolean }): readonly string[] {
  const at = `--region ${of.region}`
  return [
    `aws ${at} s3 mb s3://${quoted(of.bucket)}`,
    ...(of.isVersioned
      ? [`aws ${at} s3api put-bucket-versioning --bucket ${quoted(of.bucket)} --versioning-configuration Status=Enabled`]
      : []),
  ]
}
