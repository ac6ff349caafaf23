/** Compares all that a region holds with what the journal says it must hold, and takes over what it could not know. */
import { type Answer, blocks, type Client, elements, expectStatus } from '../../../test/limits/client.ts'
import type { Pairs } from '../../../test/limits/signer.ts'
import { type Content, type Journal, nullId, type PlainKey, type State, type Version, type VersionedKey, withNull } from './journal.ts'
import { plainBucket, suspendedBucket, versionedBucket } from './writer.ts'

const requestsAtOnce = 16

/**
 * Adds to `journal.violations`. Every key is settled when it resolves.
 * @param options.everything  also reads versions again that an earlier call has read and nobody has changed since; they are listed always
 */
export async function verify(client: Client, journal: Journal, options: { readonly everything: boolean }): Promise<void> {
  await inParallel([...journal.plain.values()], (key) => verifyPlain(client, journal, key))
  await verifyList(client, journal)
  for (const bucket of [versionedBucket, suspendedBucket]) await verifyVersions(client, journal, { bucket, ...options })
  await verifyUploads(client, journal)
}

async function verifyPlain(client: Client, journal: Journal, key: PlainKey): Promise<void> {
  const observed = await observe(client, { bucket: plainBucket, key: key.key })
  const allowed: State[] = key.pending === undefined ? [key.settled] : [key.settled, key.pending]
  const fitting = allowed.find((state) => difference(observed, state, journal) === undefined)
  if (fitting === undefined) {
    const why = allowed.map((state) => difference(observed, state, journal)).join(', and ')
    journal.violations.push(`${key.key}: ${key.pending === undefined ? '' : 'neither old nor new: '}${why}`)
  }
  key.settled = fitting ?? 'absent'
  key.pending = undefined
}

/** What a client sees of one object or version. */
interface Observed {
  readonly etag: string
  readonly note: string | undefined
  readonly contentType: string | undefined
  readonly tags: string
  readonly bytes: Buffer
}

interface Place {
  readonly bucket: string
  readonly key: string
  readonly query?: Pairs
}

async function observe(client: Client, place: Place): Promise<Observed | 'absent'> {
  const [head, got] = await Promise.all([client.send({ method: 'HEAD', ...place }), client.send({ method: 'GET', ...place })])
  expectStatus(head, 200, 404)
  expectStatus(got, head.status)
  if (got.status === 404) return 'absent'
  for (const name of ['etag', 'content-length', 'content-type', 'x-amz-meta-note', 'last-modified', 'x-amz-tagging-count']) {
    if (head.headers[name] !== got.headers[name]) throw new Error(`${place.key}: HEAD and GET differ in ${name}`)
  }
  return {
    etag: etagOf(got),
    note: got.headers['x-amz-meta-note'],
    contentType: got.headers['content-type'],
    tags: got.headers['x-amz-tagging-count'] === undefined ? '' : await tagsOf(client, place),
    bytes: got.body,
  }
}

async function tagsOf(client: Client, { query = [], ...place }: Place): Promise<string> {
  const answer = expectStatus(await client.send({ method: 'GET', ...place, query: [...query, ['tagging', '']] }), 200)
  const pairs = blocks(answer.body.toString(), 'Tag').map((tag) => `${elements(tag, 'Key')[0]}=${elements(tag, 'Value')[0]}`)
  return pairs.sort().join('&')
}

/** In words, how what is there differs from what should be; undefined when it does not. */
function difference(observed: Observed | 'absent', state: State, journal: Journal): string | undefined {
  if (observed === 'absent')
    return state === 'absent' ? undefined : `lost: an object of ${state.size} bytes (note ${state.note}) is not there`
  if (state === 'absent') return `a deleted object is there (note ${observed.note})`
  if (!observed.bytes.equals(journal.bytesOf(state))) return `lost: the bytes are not those of note ${state.note} (${state.size})`
  for (const name of ['etag', 'note', 'contentType', 'tags'] as const) {
    if (observed[name] !== state[name]) return `${name} is ${observed[name]}, not ${state[name]}`
  }
  return undefined
}

/** NOTE: after verifyPlain, so that the journal is what HEAD and GET said. */
async function verifyList(client: Client, journal: Journal): Promise<void> {
  const listed = new Map<string, string>()
  for await (const xml of pages(client, { bucket: plainBucket, first: [['list-type', '2']], next: ['NextContinuationToken'] })) {
    for (const entry of blocks(xml, 'Contents')) {
      const [key = '', etag, size] = ['Key', 'ETag', 'Size'].map((name) => elements(entry, name)[0])
      if (listed.has(key)) journal.violations.push(`${key}: LIST names it twice`)
      listed.set(key, `${etag} ${size}`)
    }
  }
  for (const { key, settled } of journal.plain.values()) {
    const wanted = settled === 'absent' ? undefined : `"${settled.etag}" ${settled.size}`
    if (listed.get(key) !== wanted) journal.violations.push(`${key}: LIST says ${listed.get(key)}, HEAD ${wanted}`)
    listed.delete(key)
  }
  for (const key of listed.keys()) journal.violations.push(`${key}: listed, and nobody ever wrote it`)
}

async function verifyUploads(client: Client, journal: Journal): Promise<void> {
  const next = ['NextKeyMarker', 'NextUploadIdMarker']
  for await (const xml of pages(client, { bucket: plainBucket, first: [['uploads', '']], next })) {
    for (const id of elements(xml, 'UploadId')) {
      if (journal.aborted.has(id)) journal.violations.push(`upload ${id} is there, and its abort was acknowledged`)
    }
  }
}

interface Row {
  readonly id: string
  readonly isLatest: boolean
  readonly isMarker: boolean
  readonly etag: string
}

async function verifyVersions(
  client: Client,
  journal: Journal,
  { bucket, everything }: { readonly bucket: string; readonly everything: boolean },
): Promise<void> {
  const rows = new Map<string, Row[]>()
  const ids = new Set<string>()
  const next = ['NextKeyMarker', 'NextVersionIdMarker']
  for await (const xml of pages(client, { bucket, first: [['versions', '']], next })) {
    for (const [, kind, entry = ''] of xml.matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs)) {
      const [key = '', id = '', latest, etag = ''] = ['Key', 'VersionId', 'IsLatest', 'ETag'].map((name) => elements(entry, name)[0])
      // Each key may have a null version; every other id is there once.
      const name = id === nullId ? `${key} ${id}` : id
      if (ids.has(name)) journal.violations.push(`${key}: version id ${id} stands twice`)
      ids.add(name)
      const row = { id, isLatest: latest === 'true', isMarker: kind === 'DeleteMarker', etag: etag.replaceAll('"', '') }
      rows.set(key, [...(rows.get(key) ?? []), row])
    }
  }
  const keys = [...journal.versioned.values()].filter((key) => key.bucket === bucket)
  await inParallel(keys, (key) => verifyVersionedKey(client, { journal, key, rows: rows.get(key.key) ?? [], everything }))
  for (const key of rows.keys())
    if (journal.versioned.get(key)?.bucket !== bucket) journal.violations.push(`${key}: listed, and nobody ever wrote it`)
}

interface KeyFacts {
  readonly journal: Journal
  readonly key: VersionedKey
  readonly rows: readonly Row[]
  readonly everything: boolean
}

async function verifyVersionedKey(client: Client, { journal, key, rows, everything }: KeyFacts): Promise<void> {
  const resolved = resolvePending(journal, key, rows)
  const expected = resolved.map(({ id }) => id).join(' ')
  const standing = rows.map(({ id }) => id).join(' ')
  if (standing !== expected) journal.violations.push(`${key.key}: versions are [${standing}], not [${expected}]`)
  const latest = rows.filter(({ isLatest }) => isLatest)
  if (rows.length > 0 && (latest.length !== 1 || latest[0] !== rows[0])) journal.violations.push(`${key.key}: the newest is not the latest`)

  const checked: Version[] = []
  for (const version of resolved) {
    const row = rows.find(({ id }) => id === version.id)
    if (row === undefined) continue
    if (row.isMarker !== (version.content === 'marker')) journal.violations.push(`${key.key} ${version.id}: marker or object?`)
    if (row.etag !== (version.content === 'marker' ? '' : version.content.etag))
      journal.violations.push(`${key.key} ${version.id}: ETag ${row.etag}`)
    const isRead = key.read.has(version) && !(key.pending?.kind === 'change' && key.pending.id === version.id)
    checked.push(isRead && !everything ? version : await verifyVersion(client, { journal, key, version }))
  }
  key.versions = checked
  key.read = new Set(checked)
  key.pending = undefined
}

/** What must stand, given what stands and what nobody could know. */
function resolvePending(journal: Journal, key: VersionedKey, rows: readonly Row[]): readonly Version[] {
  const { pending, versions } = key
  if (pending?.kind === 'remove') return versions.filter(({ id }) => id !== pending.id || rows.some((row) => row.id === id))
  if (pending?.kind === 'replace') {
    const replaced = withNull(versions, pending.content)
    return isAsListed(replaced, rows) ? replaced : versions
  }
  if (pending?.kind !== 'add') return versions
  const known = new Set(versions.map(({ id }) => id))
  const [newest] = rows
  // Only on top, and only one: whatever else is unknown fails the comparison.
  if (newest === undefined || known.has(newest.id)) return versions
  return [{ id: journal.versionIdGiven(newest.id, key.key), content: pending.content }, ...versions]
}

/** Contents differ in their ETags: what takes a place has bytes of its own. */
function isAsListed(versions: readonly Version[], rows: readonly Row[]): boolean {
  const isSame = ({ id, content }: Version, row: Row | undefined): boolean =>
    row?.id === id && row.isMarker === (content === 'marker') && row.etag === (content === 'marker' ? '' : content.etag)
  return versions.length === rows.length && versions.every((version, i) => isSame(version, rows[i]))
}

async function verifyVersion(client: Client, of: Pick<KeyFacts, 'journal' | 'key'> & { readonly version: Version }): Promise<Version> {
  const { journal, key, version } = of
  if (version.content === 'marker') return version
  const observed = await observe(client, { bucket: key.bucket, key: key.key, query: [['versionId', version.id]] })
  const { pending } = key
  const changed = pending?.kind === 'change' && pending.id === version.id ? pending.content : undefined
  const allowed: Content[] = changed === undefined ? [version.content] : [version.content, changed]
  const fitting = allowed.find((content) => difference(observed, content, journal) === undefined)
  if (fitting === undefined) {
    journal.violations.push(`${key.key} ${version.id}: ${allowed.map((content) => difference(observed, content, journal)).join(', and ')}`)
  }
  return { id: version.id, content: fitting ?? version.content }
}

async function* pages(
  client: Client,
  of: { readonly bucket: string; readonly first: Pairs; readonly next: readonly string[] },
): AsyncGenerator<string> {
  let markers: Pairs = []
  do {
    const xml = expectStatus(await client.send({ method: 'GET', bucket: of.bucket, query: [...of.first, ...markers] }), 200).body.toString()
    yield xml
    markers = of.next.flatMap((name) => elements(xml, name).map((value) => [markerName(name), value] as const))
  } while (markers.length > 0)
}

/** `NextVersionIdMarker` → `version-id-marker`; V2's token is the exception that a listing begins with. */
function markerName(element: string): string {
  const name = element.replace(/^Next/, '').replace(/[A-Z]/g, (letter, at: number) => `${at === 0 ? '' : '-'}${letter.toLowerCase()}`)
  return name
}

function etagOf({ headers }: Answer): string {
  return (headers['etag'] ?? '').replaceAll('"', '')
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  await Promise.all(
    Array.from({ length: requestsAtOnce }, async () => {
      for (const item of queue) await work(item)
    }),
  )
}
