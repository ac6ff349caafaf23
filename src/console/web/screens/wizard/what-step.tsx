/** Which objects: all, by prefix, by tags; and how many are there already, which stay where they are. */
import { useQuery } from '@tanstack/react-query'
import { Plus, X } from 'lucide-react'
import { s3Get } from '../../api/s3.ts'
import { useSession } from '../../api/session.tsx'
import { formatCount } from '../../lib/format.ts'
import { Button, TextField } from '../../ui/controls.tsx'
import type { Draft } from './draft.ts'
import styles from './wizard.module.css'

const tagsMax = 10

export function WhatStep({ draft, change }: { readonly draft: Draft; readonly change: (part: Partial<Draft>) => void }) {
  const { prefix, tags } = draft
  const changeTag = (index: number, part: Partial<Draft['tags'][number]>): void =>
    change({ tags: tags.map((tag, i) => (i === index ? { ...tag, ...part } : tag)) })
  return (
    <>
      <TextField
        label="Prefix"
        value={prefix}
        onChange={({ target }) => change({ prefix: target.value })}
        hint="Only keys that begin so. Empty: every object."
        spellCheck={false}
      />
      {tags.map((tag, index) => (
        <div key={index} className={styles.row}>
          <TextField label="Tag key" value={tag.Key} onChange={({ target }) => changeTag(index, { Key: target.value })} />
          <TextField label="Tag value" value={tag.Value} onChange={({ target }) => changeTag(index, { Value: target.value })} />
          <div className={styles.inline}>
            <Button kind="quiet" onClick={() => change({ tags: tags.filter((_, i) => i !== index) })}>
              <X size={16} aria-hidden />
              Remove tag
            </Button>
          </div>
        </div>
      ))}
      {tags.length < tagsMax && (
        <div>
          <Button kind="quiet" onClick={() => change({ tags: [...tags, { Key: '', Value: '' }] })}>
            <Plus size={16} aria-hidden />
            Only objects with a tag
          </Button>
        </div>
      )}
      <Existing draft={draft} />
    </>
  )
}

function Existing({ draft: { source, prefix } }: { readonly draft: Draft }) {
  const { api } = useSession()
  const count = useQuery({
    queryKey: ['existing', source?.bucket, prefix],
    enabled: source !== undefined,
    queryFn: async () => {
      const query = { versions: '', prefix, 'max-keys': '1000', 'encoding-type': 'url' }
      const page = await s3Get(api, { ...(source ?? { region: '' }), query })
      return { versions: page.all('Version').length, isMore: page.text('IsTruncated') === 'true' }
    },
  })
  if (count.data === undefined || count.data.versions === 0) return null
  const { versions, isMore } = count.data
  return (
    <p className={styles.hint}>
      {formatCount(versions)}
      {isMore ? ' or more versions are' : versions === 1 ? ' version is' : ' versions are'} there already. A rule takes what is written from
      now on; a COPY of an object onto itself brings an older one.
    </p>
  )
}
