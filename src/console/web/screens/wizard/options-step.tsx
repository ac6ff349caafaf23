/** What becomes of the copies. */
import { CheckField, SelectField, TextField } from '../../ui/controls.tsx'
import type { Draft } from './draft.ts'
import styles from './wizard.module.css'

const classes = [
  ['', 'As the source'],
  ['REDUCED_REDUNDANCY', 'Reduced Redundancy'],
  ['STANDARD', 'Standard'],
  ['STANDARD_IA', 'Standard, infrequent access'],
  ['ONEZONE_IA', 'One zone, infrequent access'],
  ['GLACIER_IR', 'Glacier, read at once'],
] as const

export function OptionsStep({ draft, change }: { readonly draft: Draft; readonly change: (part: Partial<Draft>) => void }) {
  const hasTags = draft.tags.length > 0
  return (
    <>
      <div className={styles.row}>
        <SelectField label="Storage class" value={draft.storageClass} onChange={({ target }) => change({ storageClass: target.value })}>
          {classes.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </SelectField>
        <TextField
          label="Priority"
          type="number"
          min={0}
          max={2_147_483_647}
          value={draft.priority}
          onChange={({ target }) => change({ priority: Number(target.value) })}
          hint="Of two rules to the same bucket the higher counts."
        />
      </div>
      <CheckField
        label="Delete markers too"
        checked={draft.deleteMarkers && !hasTags}
        disabled={hasTags}
        onChange={({ target }) => change({ deleteMarkers: target.checked })}
        hint={
          hasTags ? 'Not with tags: a marker has none.' : 'What is deleted here is hidden there as well. No version is ever removed there.'
        }
      />
      <TextField
        label="Copies belong to the account"
        value={draft.ownerOverride}
        onChange={({ target }) => change({ ownerOverride: target.value.trim() })}
        problem={draft.ownerOverride === '' || /^\d{12}$/.test(draft.ownerOverride) ? undefined : 'An account has 12 digits.'}
        hint="Empty: to the owner of the source. For a bucket of another account, its 12 digits."
        inputMode="numeric"
      />
    </>
  )
}
