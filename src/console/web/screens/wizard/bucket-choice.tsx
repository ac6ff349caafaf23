/** Choosing a bucket, or making one on the spot. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useBuckets } from '../../api/buckets.ts'
import { createBucket } from '../../api/s3.ts'
import { useSession } from '../../api/session.tsx'
import { Button, SelectField, TextField } from '../../ui/controls.tsx'
import { ErrorNote } from '../../ui/parts.tsx'
import { nameProblem } from '../create-bucket.tsx'
import type { BucketChoice } from './draft.ts'
import styles from './wizard.module.css'

interface BucketChoiceProps {
  readonly label: string
  readonly value: BucketChoice | undefined
  readonly onChange: (choice: BucketChoice | undefined) => void
  /** Only buckets of these regions. */
  readonly regions: readonly string[]
  /** Where a new one is made. */
  readonly region: string
}

const createValue = ''

export function BucketField({ label, value, onChange, regions, region }: BucketChoiceProps) {
  const buckets = useBuckets()
  const offered = buckets.data?.filter((bucket) => regions.includes(bucket.region)) ?? []
  const [isCreating, setCreating] = useState(false)
  const isNew = isCreating || (buckets.isSuccess && offered.length === 0)
  return (
    <>
      {buckets.isError && <ErrorNote error={buckets.error} />}
      {!isNew && (
        <div className={styles.row}>
          <SelectField
            label={label}
            value={value?.bucket ?? createValue}
            onChange={({ target }) => {
              const found = offered.find(({ name }) => name === target.value)
              onChange(found && { bucket: found.name, region: found.region })
            }}
          >
            <option value={createValue}>Choose…</option>
            {offered.map((bucket) => (
              <option key={bucket.name} value={bucket.name}>
                {bucket.name} ({bucket.region})
              </option>
            ))}
          </SelectField>
        </div>
      )}
      {isNew ? (
        <NewBucket
          label={label}
          region={region}
          onMade={(bucket) => {
            setCreating(false)
            onChange({ bucket, region })
          }}
          onCancel={offered.length > 0 ? () => setCreating(false) : undefined}
        />
      ) : (
        <div>
          <Button kind="quiet" onClick={() => setCreating(true)}>
            Create a new one here
          </Button>
        </div>
      )}
    </>
  )
}

interface NewBucketProps {
  readonly label: string
  readonly region: string
  readonly onMade: (bucket: string) => void
  readonly onCancel: (() => void) | undefined
}

function NewBucket({ label, region, onMade, onCancel }: NewBucketProps) {
  const { api } = useSession()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const problem = name === '' ? undefined : nameProblem(name)
  const creation = useMutation({
    mutationFn: () => createBucket(api, { region, bucket: name, isVersioned: true }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['buckets'] })
      onMade(name)
    },
  })
  return (
    <>
      <TextField
        label={`${label}: name of a new one in ${region}`}
        value={name}
        onChange={({ target }) => setName(target.value)}
        problem={problem}
        hint="It will keep versions, as replication needs."
        spellCheck={false}
      />
      {creation.isError && <ErrorNote error={creation.error} />}
      <div className={styles.inline}>
        <Button
          kind="primary"
          isBusy={creation.isPending}
          disabled={name === '' || problem !== undefined}
          onClick={() => creation.mutate()}
        >
          Create bucket
        </Button>
        {onCancel !== undefined && (
          <Button kind="quiet" onClick={onCancel}>
            Choose one that is there
          </Button>
        )}
      </div>
    </>
  )
}
