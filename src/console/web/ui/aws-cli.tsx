/** "Show as aws-cli": the same change as commands to paste. */
import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import styles from './aws-cli.module.css'
import { Button } from './controls.tsx'

export function AwsCli({ commands }: { readonly commands: readonly string[] }) {
  const [isCopied, setCopied] = useState(false)
  const text = commands.join('\n')
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  }
  return (
    <details className={styles.cli}>
      <summary>Show as aws-cli</summary>
      <div className={styles.box}>
        <pre>{text}</pre>
        <Button kind="quiet" onClick={copy} aria-label="Copy the commands">
          {isCopied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
          {isCopied ? 'Copied' : 'Copy'}
        </Button>
      </div>
    </details>
  )
}

/** One argument of a shell command. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
