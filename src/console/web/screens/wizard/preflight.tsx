/** The list at the foot: what is well, what is not, on which side, and a button that mends it. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { CircleCheck, CircleDashed, CircleX } from 'lucide-react'
import { putVersioning } from '../../api/s3.ts'
import { useSession } from '../../api/session.tsx'
import { Button } from '../../ui/controls.tsx'
import { Badge, Card, ErrorNote } from '../../ui/parts.tsx'
import type { Check, Draft } from './draft.ts'
import styles from './wizard.module.css'

const icons = { good: CircleCheck, bad: CircleX, unknown: CircleDashed } as const
const words = { good: 'Well', bad: 'To do', unknown: 'Not known yet' } as const

export function Preflight({ draft, checks }: { readonly draft: Draft; readonly checks: readonly Check[] }) {
  return (
    <Card>
      <div className={styles.body}>
        <h2>Before it is saved</h2>
        <ul className={styles.checks} aria-live="polite">
          {checks.map((check) => {
            const Icon = icons[check.state]
            return (
              <li key={check.id}>
                <Icon size={20} aria-label={words[check.state]} className={check.state === 'unknown' ? '' : styles[check.state]} />
                <span>{check.text}</span>
                <Badge>{check.side}</Badge>
                {check.mend !== undefined && <Mend mend={check.mend} draft={draft} />}
              </li>
            )
          })}
        </ul>
      </div>
    </Card>
  )
}

/** Versioning stays for good: it can be suspended, and never be taken away. */
function Mend({ mend, draft }: { readonly mend: NonNullable<Check['mend']>; readonly draft: Draft }) {
  const { api } = useSession()
  const queries = useQueryClient()
  const at = mend === 'enable-source-versioning' ? draft.source : draft.destination
  const enabling = useMutation({
    mutationFn: async () => {
      if (at !== undefined) await putVersioning(api, { ...at, status: 'Enabled' })
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ['versioning', at?.bucket] }),
  })
  return (
    <div className={styles.mend}>
      <Button isBusy={enabling.isPending} onClick={() => enabling.mutate()}>
        Enable versioning
      </Button>
      <span className={styles.hint}>What is overwritten or deleted from then on is kept.</span>
      {enabling.isError && <ErrorNote error={enabling.error} />}
    </div>
  )
}
