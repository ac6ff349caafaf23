/** One client among many: it writes to keys of its own, one request after the other, until its region is killed. */
import { type Answer, type Call, type Client, elements } from '../../../test/limits/client.ts'
import type { Random } from '../../../test/limits/random.ts'
import { type Content, type Journal, md5, type PlainKey, randomTags, type VersionedKey, type VersionIntent, withNull } from './journal.ts'

export const plainBucket = 'plain'
export const versionedBucket = 'versioned'
/** Its versioning is suspended most of the time. */
export const suspendedBucket = 'suspended'

export type OperationName =
  | 'putSmall'
  | 'putLarge'
  | 'delete'
  | 'deleteMany'
  | 'copy'
  | 'tag'
  | 'multipart'
  | 'abort'
  | 'putVersion'
  | 'deleteMarker'
  | 'deleteVersion'
  | 'tagVersion'
  | 'putSuspended'
  | 'markSuspended'
  | 'deleteSuspended'
  | 'tagSuspended'

/** How often each is chosen. */
export const mixedLoad: Readonly<Record<OperationName, number>> = {
  putSmall: 36,
  putLarge: 10,
  delete: 6,
  deleteMany: 4,
  copy: 8,
  tag: 6,
  multipart: 6,
  abort: 2,
  putVersion: 14,
  deleteMarker: 4,
  deleteVersion: 8,
  tagVersion: 4,
  putSuspended: 12,
  markSuspended: 4,
  deleteSuspended: 4,
  tagSuspended: 3,
}

interface Upload {
  readonly target: PlainKey
  readonly uploadId: string
  readonly content: Content
  readonly parts: readonly { readonly offset: number; readonly size: number }[]
  /** ETags of the parts that are acknowledged. */
  readonly etags: string[]
}

export interface WriterOptions {
  readonly name: string
  readonly journal: Journal
  readonly random: Random
  readonly load: Partial<Readonly<Record<OperationName, number>>>
}

/** No answer: nobody knows whether the request was carried out. */
class NoAnswer extends Error {}

const plainKeys = 6
const versionedKeys = 3
const suspendedKeys = 2
const versionsKept = 5
const smallMaxBytes = 128 * 1024
const partMinBytes = 5 * 1024 * 1024

export class Writer {
  readonly #journal: Journal
  readonly #random: Random
  readonly #choices: readonly OperationName[]
  readonly #plain: readonly PlainKey[]
  readonly #versioned: readonly VersionedKey[]
  readonly #suspended: readonly VersionedKey[]
  /** A multipart upload that a kill interrupted: it goes on with the next region. */
  #upload: Upload | undefined
  #client: Client | undefined

  constructor({ name, journal, random, load }: WriterOptions) {
    this.#journal = journal
    this.#random = random
    // The keys of `load` are those of its type.
    this.#choices = (Object.entries(load) as [OperationName, number][]).flatMap(([operation, weight]) => Array(weight).fill(operation))
    this.#plain = Array.from({ length: plainKeys }, (_, n) => ({ key: `${name}/plain ${n}`, settled: 'absent', pending: undefined }))
    this.#versioned = Array.from({ length: versionedKeys }, (_, n) => newKey(versionedBucket, `${name}/v+${n}`))
    this.#suspended = Array.from({ length: suspendedKeys }, (_, n) => newKey(suspendedBucket, `${name}/s ${n}`))
    for (const key of this.#plain) journal.plain.set(key.key, key)
    for (const key of [...this.#versioned, ...this.#suspended]) journal.versioned.set(key.key, key)
  }

  /** Resolves when a request stays without an answer, or `signal` aborts. */
  async run(client: Client, signal: AbortSignal): Promise<void> {
    this.#client = client
    try {
      if (this.#upload !== undefined) await this.#finishUpload(this.#upload)
      while (!signal.aborted) await this[this.#random.pick(this.#choices)]()
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
    }
  }

  async putSmall(): Promise<void> {
    const size = this.#random.oneIn(8) ? smallMaxBytes : this.#random.below(16 * 1024)
    await this.#put(this.#random.pick(this.#plain), size)
  }

  async putLarge(): Promise<void> {
    await this.#put(this.#random.pick(this.#plain), smallMaxBytes + 1 + (this.#random.oneIn(3) ? 0 : this.#random.below(512 * 1024)))
  }

  async delete(): Promise<void> {
    const target = this.#random.pick(this.#plain)
    target.pending = 'absent'
    await this.#answered({ method: 'DELETE', bucket: plainBucket, key: target.key })
    settle(target, 'absent')
  }

  async deleteMany(): Promise<void> {
    const targets = this.#plain.filter(() => this.#random.oneIn(2))
    if (targets.length === 0) return
    for (const target of targets) target.pending = 'absent'
    const body = Buffer.from(`<Delete>${targets.map(({ key }) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`)
    const headers = { 'content-md5': md5(body).toString('base64') }
    const answer = await this.#answered({ method: 'POST', bucket: plainBucket, query: [['delete', '']], headers, body })
    const deleted = new Set(elements(answer.body.toString(), 'Key'))
    for (const target of targets) {
      if (deleted.has(target.key)) settle(target, 'absent')
      else this.#journal.violations.push(`${target.key}: DeleteObjects does not speak of it: ${answer.body.toString()}`)
    }
  }

  async copy(): Promise<void> {
    const source = this.#plain.find(({ settled }) => settled !== 'absent')
    if (source === undefined || source.settled === 'absent') return
    const content = { ...source.settled, etag: md5(this.#journal.bytesOf(source.settled)).toString('hex') }
    const headers = { 'x-amz-copy-source': encodeURI(`/${plainBucket}/${source.key}`) }
    if (this.#random.oneIn(3)) return this.#addVersion(this.#random.pick(this.#versioned), content, { headers })
    const target = this.#random.pick(this.#plain.filter((key) => key !== source))
    target.pending = content
    await this.#answered({ method: 'PUT', bucket: plainBucket, key: target.key, headers })
    settle(target, content)
  }

  async tag(): Promise<void> {
    const target = this.#random.pick(this.#plain)
    if (target.settled === 'absent') return
    const content = { ...target.settled, tags: this.#random.oneIn(4) ? '' : randomTags(this.#random) }
    target.pending = content
    await this.#answered({ bucket: plainBucket, key: target.key, ...tagging(content) })
    settle(target, content)
  }

  async multipart(): Promise<void> {
    const target = this.#random.pick(this.#plain)
    const sizes = this.#random.oneIn(4) ? [partMinBytes, this.#random.below(200_000)] : [this.#random.below(300_000) + 1]
    const whole = this.#journal.newContent(
      this.#random,
      sizes.reduce((sum, size) => sum + size, 0),
    )
    const parts = sizes.map((size, i) => ({ offset: whole.offset + sizes.slice(0, i).reduce((sum, before) => sum + before, 0), size }))
    const sums = Buffer.concat(parts.map((part) => md5(this.#journal.bytesOf(part))))
    const content = { ...whole, etag: `${md5(sums).toString('hex')}-${parts.length}` }
    const created = await this.#answered({
      method: 'POST',
      bucket: plainBucket,
      key: target.key,
      query: [['uploads', '']],
      headers: headersOf(content),
    })
    const [uploadId = ''] = elements(created.body.toString(), 'UploadId')
    this.#upload = { target, uploadId, content, parts, etags: [] }
    await this.#finishUpload(this.#upload)
  }

  /** An upload that nobody completes: of its parts nothing may stay. When the abort has no answer, it may be open for ever. */
  async abort(): Promise<void> {
    const to = { bucket: plainBucket, key: this.#random.pick(this.#plain).key }
    const created = await this.#answered({ method: 'POST', ...to, query: [['uploads', '']] })
    const upload = ['uploadId', elements(created.body.toString(), 'UploadId')[0] ?? ''] as const
    const body = this.#journal.bytesOf({ offset: 0, size: 1 + this.#random.below(300_000) })
    await this.#answered({ method: 'PUT', ...to, query: [['partNumber', '1'], upload], body })
    await this.#answered({ method: 'DELETE', ...to, query: [upload] })
    this.#journal.aborted.add(upload[1])
  }

  async putVersion(): Promise<void> {
    await this.#putVersionOf(this.#random.pick(this.#versioned))
  }

  async putSuspended(): Promise<void> {
    await this.#putVersionOf(this.#random.pick(this.#suspended))
  }

  async deleteMarker(): Promise<void> {
    await this.#addVersion(this.#random.pick(this.#versioned), 'marker', {})
  }

  async markSuspended(): Promise<void> {
    await this.#addVersion(this.#random.pick(this.#suspended), 'marker', {})
  }

  async deleteVersion(): Promise<void> {
    await this.#deleteVersionOf(this.#random.pick(this.#versioned))
  }

  async deleteSuspended(): Promise<void> {
    await this.#deleteVersionOf(this.#random.pick(this.#suspended))
  }

  async tagVersion(): Promise<void> {
    await this.#tagLatestOf(this.#random.pick(this.#versioned))
  }

  async tagSuspended(): Promise<void> {
    await this.#tagLatestOf(this.#random.pick(this.#suspended))
  }

  async #putVersionOf(target: VersionedKey): Promise<void> {
    const size = this.#random.oneIn(4) ? smallMaxBytes + this.#random.below(100_000) : this.#random.below(8192)
    const content = this.#journal.newContent(this.#random, size)
    const body = this.#journal.bytesOf(content)
    await this.#addVersion(target, content, { headers: headersOf(content), body })
  }

  async #deleteVersionOf(target: VersionedKey): Promise<void> {
    const { id } = target.versions[this.#random.below(versionsKept)] ?? {}
    if (id !== undefined) await this.#removeVersion(target, id)
  }

  async #removeVersion(target: VersionedKey, id: string): Promise<void> {
    target.pending = { kind: 'remove', id }
    await this.#answered({ method: 'DELETE', bucket: target.bucket, key: target.key, query: [['versionId', id]] })
    settleVersions(target, (versions) => versions.filter((version) => version.id !== id))
  }

  async #tagLatestOf(target: VersionedKey): Promise<void> {
    const [latest] = target.versions
    if (latest === undefined || latest.content === 'marker') return
    const content = { ...latest.content, tags: randomTags(this.#random) }
    target.pending = { kind: 'change', id: latest.id, content }
    const { query, ...rest } = tagging(content)
    await this.#answered({ bucket: target.bucket, key: target.key, ...rest, query: [...query, ['versionId', latest.id]] })
    settleVersions(target, (versions) => versions.map((version) => (version.id === latest.id ? { id: latest.id, content } : version)))
  }

  async #put(target: PlainKey, size: number): Promise<void> {
    const content = this.#journal.newContent(this.#random, size)
    target.pending = content
    await this.#answered({
      method: 'PUT',
      bucket: plainBucket,
      key: target.key,
      headers: headersOf(content),
      body: this.#journal.bytesOf(content),
      isBodySigned: this.#random.oneIn(4),
    })
    settle(target, content)
  }

  async #addVersion(target: VersionedKey, content: Content | 'marker', call: Pick<Call, 'headers' | 'body'>): Promise<void> {
    // So that what has to be compared after each kill stays small.
    const oldest = target.versions.length < versionsKept ? undefined : target.versions.at(-1)
    if (oldest !== undefined) await this.#removeVersion(target, oldest.id)
    const isReplacing = target.bucket === suspendedBucket && this.#journal.isSuspended
    target.pending = { kind: isReplacing ? 'replace' : 'add', content } satisfies VersionIntent
    const method = content === 'marker' ? 'DELETE' : 'PUT'
    const { headers } = await this.#answered({ method, bucket: target.bucket, key: target.key, ...call })
    const given = headers['x-amz-version-id']
    if (isReplacing) {
      this.#journal.nullIdGiven(given, target.key)
      settleVersions(target, (versions) => withNull(versions, content))
    } else {
      const id = this.#journal.versionIdGiven(given, target.key)
      settleVersions(target, (versions) => [{ id, content }, ...versions])
    }
  }

  async #finishUpload(upload: Upload): Promise<void> {
    const { target, uploadId, content, parts, etags } = upload
    const to = { bucket: plainBucket, key: target.key }
    for (const [i, part] of parts.entries()) {
      if (etags[i] !== undefined) continue
      const body = this.#journal.bytesOf(part)
      const query = [['partNumber', String(i + 1)] as const, ['uploadId', uploadId] as const]
      await this.#answered({ method: 'PUT', ...to, query, body })
      etags[i] = md5(body).toString('hex')
    }
    target.pending = content
    const list = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`).join('')
    const body = Buffer.from(`<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`)
    // It may stand for a second time here: the answer to the first was lost with the region. S3 answers it the same again.
    const answer = await this.#answered({ method: 'POST', ...to, query: [['uploadId', uploadId]], body })
    if (!answer.body.includes('CompleteMultipartUploadResult')) this.#journal.violations.push(`${target.key}: ${answer.body.toString()}`)
    settle(target, content)
    this.#upload = undefined
  }

  /** @throws NoAnswer; an answer that refuses is a violation, and as good as none */
  async #answered(call: Call): Promise<Answer> {
    let answer: Answer
    try {
      if (this.#client === undefined) throw new Error('not running')
      answer = await this.#client.send(call)
    } catch (cause) {
      throw new NoAnswer('no answer', { cause })
    }
    if (answer.status >= 200 && answer.status < 300) {
      this.#journal.acknowledged()
      return answer
    }
    const what = `${call.method} ${call.bucket}/${String(call.key)}?${call.query?.map(([name]) => name).join('&') ?? ''}`
    this.#journal.violations.push(`${what} was answered ${answer.status}: ${answer.body.toString().slice(0, 500)}`)
    throw new NoAnswer('refused')
  }
}

function newKey(bucket: string, key: string): VersionedKey {
  return { bucket, key, versions: [], pending: undefined, read: new Set() }
}

function settle(key: PlainKey, state: PlainKey['settled']): void {
  key.settled = state
  key.pending = undefined
}

function settleVersions(key: VersionedKey, change: (versions: VersionedKey['versions']) => VersionedKey['versions']): void {
  key.versions = change(key.versions)
  key.pending = undefined
}

function headersOf({ note, contentType, tags }: Content): Record<string, string> {
  return { 'x-amz-meta-note': note, 'content-type': contentType, ...(tags === '' ? {} : { 'x-amz-tagging': tags }) }
}

function tagging({ tags }: Content): {
  readonly method: string
  readonly query: readonly (readonly [string, string])[]
  readonly body?: Buffer
} {
  const query = [['tagging', ''] as const]
  if (tags === '') return { method: 'DELETE', query }
  const list = [...new URLSearchParams(tags)].map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`)
  return { method: 'PUT', query, body: Buffer.from(`<Tagging><TagSet>${list.join('')}</TagSet></Tagging>`) }
}
