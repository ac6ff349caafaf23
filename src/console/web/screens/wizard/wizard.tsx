/** Setting up replication, on one page: source, what, destination, role, options; then the first picture goes over. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { createRole, listRoles } from '../../api/iam.ts'
import { getReplication, putReplication } from '../../api/replication.ts'
import { getVersioning } from '../../api/s3.ts'
import { useSession } from '../../api/session.tsx'
import { Button, SelectField } from '../../ui/controls.tsx'
import { ErrorNote, Head } from '../../ui/parts.tsx'
import { BucketField } from './bucket-choice.tsx'
import { type BucketChoice, checksOf, type Draft, emptyDraft, policyOf, roleNameOf, ruleOf } from './draft.ts'
import { FirstPicture } from './first-picture.tsx'
import { OptionsStep } from './options-step.tsx'
import { Preflight } from './preflight.tsx'
import { RoleStep } from './role-step.tsx'
import { Step } from './step.tsx'
import { WhatStep } from './what-step.tsx'
import styles from './wizard.module.css'

export default function Wizard() {
  const { api, regions, self } = useSession()
  const roles = useQuery({ queryKey: ['roles'], queryFn: () => listRoles(api, self) })
  const [draft, setDraft] = useState<Draft>(emptyDraft)
  const [isSaved, setSaved] = useState(false)
  const change = (part: Partial<Draft>): void => setDraft((now) => ({ ...now, ...part }))
  const others = regions.map(({ name }) => name).filter((name) => name !== (draft.source?.region ?? self))
  const [region, setRegion] = useState<string>()
  const destinationRegion = region !== undefined && others.includes(region) ? region : (others[0] ?? self)
  const sourceVersioning = useVersioning(draft.source)
  const destinationVersioning = useVersioning(draft.destination)
  const checks = checksOf(draft, {
    sourceVersioning,
    destinationVersioning,
    roleNames: roles.data?.map(({ name }) => name) ?? [],
    isDestinationReachable: regions.some(({ name, isReachable }) => name === draft.destination?.region && isReachable),
  })
  const isReady = checks.every(({ state }) => state === 'good')
  const saving = useSave(draft, () => setSaved(true))
  if (isSaved && draft.source !== undefined && draft.destination !== undefined) {
    return <FirstPicture source={draft.source} destination={draft.destination} prefix={draft.prefix} tags={draft.tags} />
  }
  return (
    <div className={styles.page}>
      <Head title="Set up cross-region replication" />
      <Step number={1} title="Which bucket is copied?" isDone={sourceVersioning === 'Enabled'}>
        <BucketField
          label="Source bucket"
          value={draft.source}
          onChange={(source) => change({ source })}
          regions={regions.map(({ name }) => name)}
          region={self}
        />
      </Step>
      <Step number={2} title="What of it?" isDone={draft.source !== undefined}>
        <WhatStep draft={draft} change={change} />
      </Step>
      <Step number={3} title="Where to?" isDone={destinationVersioning === 'Enabled'}>
        <div className={styles.row}>
          <SelectField
            label="Region"
            value={destinationRegion}
            onChange={({ target }) => {
              setRegion(target.value)
              change({ destination: undefined })
            }}
          >
            {regions
              .filter(({ name }) => others.includes(name))
              .map(({ name, isReachable, roundTripMs }) => (
                <option key={name} value={name} disabled={!isReachable}>
                  {name}
                  {isReachable
                    ? roundTripMs === null
                      ? ''
                      : ` (${Math.max(1, Math.round(roundTripMs))} ms away)`
                    : ' (cannot be reached)'}
                </option>
              ))}
          </SelectField>
        </div>
        <BucketField
          label="Destination bucket"
          value={draft.destination}
          onChange={(destination) => change({ destination })}
          regions={[destinationRegion]}
          region={destinationRegion}
        />
      </Step>
      <Step number={4} title="By which role?" isDone={checks.every(({ side, state }) => side !== 'role' || state === 'good')}>
        <RoleStep draft={draft} change={change} />
      </Step>
      <Step number={5} title="What becomes of the copies?" isDone={true}>
        <OptionsStep draft={draft} change={change} />
      </Step>
      <Preflight draft={draft} checks={checks} />
      {saving.isError && <ErrorNote error={saving.error} />}
      <Button kind="primary" disabled={!isReady} isBusy={saving.isPending} onClick={() => saving.mutate()}>
        Start replicating
      </Button>
    </div>
  )
}

function useVersioning(at: BucketChoice | undefined): 'Off' | 'Enabled' | 'Suspended' | undefined {
  const { api } = useSession()
  const state = useQuery({
    queryKey: ['versioning', at?.bucket],
    enabled: at !== undefined,
    queryFn: () => getVersioning(api, at ?? { region: '', bucket: '' }),
  })
  return at === undefined ? undefined : state.data
}

/** The role first, then the rule beside those that are there: one of the same name is replaced. */
function useSave(draft: Draft, onSaved: () => void) {
  const { api, self } = useSession()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async () => {
      const { source, role } = draft
      if (source === undefined) return
      const standing = await getReplication(api, source)
      const arn =
        role.kind === 'pick'
          ? role.arn
          : await createRole(api, self, { name: roleNameOf(draft), trust: role.trust, policyName: 'replication', policy: policyOf(draft) })
      const rule = ruleOf(draft)
      const rules = [...(standing?.rules.filter(({ id }) => id !== rule.id) ?? []), rule]
      await putReplication(api, source, { role: arn, rules })
    },
    onSuccess: async () => {
      await queries.invalidateQueries()
      onSaved()
    },
  })
}
