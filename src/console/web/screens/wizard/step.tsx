/** One of the five steps: its number, its question, and whether it is answered. */
import { Check } from 'lucide-react'
import { type ReactNode, useId } from 'react'
import { Card } from '../../ui/parts.tsx'
import styles from './wizard.module.css'

interface StepProps {
  readonly number: number
  readonly title: string
  readonly isDone: boolean
  readonly children: ReactNode
}

export function Step({ number, title, isDone, children }: StepProps) {
  const id = useId()
  return (
    <Card>
      <div className={styles.step} role="group" aria-labelledby={id}>
        <span className={`${styles.number} ${isDone ? styles.done : ''}`} aria-hidden>
          {isDone ? <Check size={18} /> : number}
        </span>
        <div className={styles.body}>
          <h2 id={id}>{title}</h2>
          {children}
        </div>
      </div>
    </Card>
  )
}
