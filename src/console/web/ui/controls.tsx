/** Buttons and fields. */
import { LoaderCircle } from 'lucide-react'
import { type ButtonHTMLAttributes, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, useId } from 'react'
import styles from './controls.module.css'

type ButtonKind = 'plain' | 'primary' | 'danger' | 'quiet'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly kind?: ButtonKind
  /** Shows that the work is under way, and takes no second press. */
  readonly isBusy?: boolean
}

export function Button({ kind = 'plain', isBusy = false, className = '', children, disabled, type = 'button', ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} disabled={disabled || isBusy} aria-busy={isBusy} className={`${buttonClass(kind)} ${className}`}>
      {isBusy && <LoaderCircle size={16} className={styles.spin} aria-hidden />}
      {children}
    </button>
  )
}

/** For links that look like buttons. */
export function buttonClass(kind: ButtonKind = 'plain'): string {
  return `${styles.button} ${kind === 'plain' ? '' : styles[kind]}`
}

interface FieldProps {
  readonly label: string
  readonly hint?: ReactNode
  /** What is wrong with what stands in it, in a sentence. */
  readonly problem?: string | undefined
}

export function TextField({ label, hint, problem, ...input }: FieldProps & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId()
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      <input {...input} id={id} className={styles.input} aria-invalid={problem !== undefined} aria-describedby={`${id}-about`} />
      <About id={`${id}-about`} hint={hint} problem={problem} />
    </div>
  )
}

export function SelectField({ label, hint, problem, children, ...select }: FieldProps & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId()
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      <select {...select} id={id} className={styles.input} aria-invalid={problem !== undefined} aria-describedby={`${id}-about`}>
        {children}
      </select>
      <About id={`${id}-about`} hint={hint} problem={problem} />
    </div>
  )
}

export function CheckField({ label, hint, ...input }: Omit<FieldProps, 'problem'> & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId()
  return (
    <div className={styles.check}>
      <input {...input} id={id} type="checkbox" aria-describedby={`${id}-about`} />
      <div>
        <label className={styles.label} htmlFor={id}>
          {label}
        </label>
        <About id={`${id}-about`} hint={hint} problem={undefined} />
      </div>
    </div>
  )
}

function About({ id, hint, problem }: { readonly id: string; readonly hint: ReactNode; readonly problem: string | undefined }) {
  return (
    <div id={id}>
      {problem !== undefined ? <p className={styles.problem}>{problem}</p> : hint !== undefined && <p className={styles.hint}>{hint}</p>}
    </div>
  )
}
