/** The role by which S3 replicates: made here, shown before it is, or one that is there. */
import { useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import { isForReplication, listRoles } from '../../api/iam.ts'
import { useSession } from '../../api/session.tsx'
import { SelectField, TextField } from '../../ui/controls.tsx'
import { ErrorNote } from '../../ui/parts.tsx'
import { type Draft, emptyDraft, policyOf, roleNameOf } from './draft.ts'
import styles from './wizard.module.css'

export function RoleStep({ draft, change }: { readonly draft: Draft; readonly change: (part: Partial<Draft>) => void }) {
  const { api, self } = useSession()
  const roles = useQuery({ queryKey: ['roles'], queryFn: () => listRoles(api, self) })
  const { role } = draft
  const usable = roles.data?.filter(isForReplication) ?? []
  return (
    <>
      {roles.isError && <ErrorNote error={roles.error} />}
      <div className={styles.row}>
        <SelectField
          label="Role"
          value={role.kind === 'pick' ? role.arn : ''}
          onChange={({ target }) => change({ role: target.value === '' ? emptyDraft.role : { kind: 'pick', arn: target.value } })}
          hint="What S3 may do for this rule. It is asked for every delivery."
        >
          <option value="">Make a new one</option>
          {usable.map(({ arn, name }) => (
            <option key={arn} value={arn}>
              {name}
            </option>
          ))}
        </SelectField>
        {role.kind === 'create' && (
          <TextField
            label="Name of the role"
            value={roleNameOf(draft)}
            onChange={({ target }) => change({ role: { ...role, name: target.value } })}
            spellCheck={false}
          />
        )}
      </div>
      {role.kind === 'create' && (
        <details>
          <summary>Trust and permissions</summary>
          <div className={styles.body}>
            <JsonField label="Trust: who may take the role" value={role.trust} onChange={(trust) => change({ role: { ...role, trust } })} />
            <JsonField
              label="Permissions: what it may do"
              value={policyOf(draft)}
              onChange={(policy) => change({ role: { ...role, policy } })}
            />
          </div>
        </details>
      )}
    </>
  )
}

interface JsonFieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (text: string) => void
}

function JsonField({ label, value, onChange }: JsonFieldProps) {
  const id = useId()
  return (
    <div>
      <label htmlFor={id}>{label}</label>
      <textarea id={id} className={styles.json} value={value} spellCheck={false} onChange={({ target }) => onChange(target.value)} />
    </div>
  )
}
