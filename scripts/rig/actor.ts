/** A client that writes down what it wants before it asks, and what it was told. One request after the other. */
import { type Answer, type Call, type Client, elements } from '../../test/limits/client.ts'
import { type Cell, type Content, type Ledger, type LedgerEvent, md5, type State } from './ledger.ts'

export const plainBucket = 'plain'
export const versionedBucket = 'versioned'

export type Outcome = 'acknowledged' | 'refused' | 'silent'

export interface ActorOptions {
  readonly client: Client
  readonly ledger: Ledger
  /** Where the stream is now. */
  position(): number
}

interface Intent {
  readonly cell: Cell
  readonly state: State
}

export class Actor {
  readonly #options: ActorOptions
  /** Of every request, in order. */
  readonly outcomes: Outcome[] = []
  #last: Answer | undefined

  constructor(options: ActorOptions) {
    this.#options = options
  }

  plain(key: string): Cell {
    return this.#options.ledger.cell({ bucket: plainBucket, key })
  }

  put(key: string, size: number, { isEncrypted = false } = {}): Promise<Outcome> {
    const { ledger } = this.#options
    const state = ledger.newContent(size)
    const headers = isEncrypted ? { 'x-amz-server-side-encryption': 'AES256' } : {}
    return this.#ask([{ cell: this.plain(key), state }], { method: 'PUT', bucket: plainBucket, key, headers, body: ledger.bytesOf(state) })
  }

  remove(key: string): Promise<Outcome> {
    return this.#ask([{ cell: this.plain(key), state: 'absent' }], { method: 'DELETE', bucket: plainBucket, key })
  }

  removeMany(keys: readonly string[]): Promise<Outcome> {
    const intents = keys.map((key): Intent => ({ cell: this.plain(key), state: 'absent' }))
    const body = Buffer.from(`<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`)
    const headers = { 'content-md5': md5(body).toString('base64') }
    return this.#ask(intents, { method: 'POST', bucket: plainBucket, query: [['delete', '']], headers, body }, (cell, answer) =>
      elements(answer.body.toString(), 'Key').includes(cell.key),
    )
  }

  copy(from: string, to: string): Promise<Outcome> {
    const state = this.plain(from).events.at(-1)?.state ?? 'absent'
    if (state === 'absent') throw new Error(`${from} is not there to be copied`)
    const etag = md5(this.#options.ledger.bytesOf(state)).toString('hex')
    const headers = { 'x-amz-copy-source': `/${plainBucket}/${from}` }
    const intents = [{ cell: this.plain(to), state: { ...state, etag } }]
    return this.#ask(intents, { method: 'PUT', bucket: plainBucket, key: to, headers }, (_, { body }) => body.includes('CopyObjectResult'))
  }

  /** One part at least; all but the last of 5 MiB, as S3 has it. */
  async multipart(key: string, sizes: readonly number[]): Promise<Outcome> {
    const { ledger } = this.#options
    const to = { bucket: plainBucket, key }
    const whole = ledger.newContent(sizes.reduce((sum, size) => sum + size, 0))
    const created = await this.#ask([], { method: 'POST', ...to, query: [['uploads', '']] })
    if (created !== 'acknowledged') return created
    const [uploadId = ''] = elements(this.#last?.body.toString() ?? '', 'UploadId')
    const digests: Buffer[] = []
    let offset = whole.offset
    for (const size of sizes) {
      const body = ledger.bytesOf({ offset, size })
      const part = [['partNumber', String(digests.length + 1)] as const, ['uploadId', uploadId] as const]
      const sent = await this.#ask([], { method: 'PUT', ...to, query: part, body })
      if (sent !== 'acknowledged') return sent
      digests.push(md5(body))
      offset += size
    }
    const state: Content = { ...whole, etag: `${md5(Buffer.concat(digests)).toString('hex')}-${digests.length}` }
    const list = digests.map((digest, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>"${digest.toString('hex')}"</ETag></Part>`)
    const body = Buffer.from(`<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`)
    const call: Call = { method: 'POST', ...to, query: [['uploadId', uploadId]], body }
    return this.#ask([{ cell: this.plain(key), state }], call, (_, answer) => answer.body.includes('CompleteMultipartUploadResult'))
  }

  /** The cell of the version; undefined when no version id was told. */
  async putVersion(key: string, size: number): Promise<Cell | undefined> {
    const { ledger } = this.#options
    const state = ledger.newContent(size)
    const sentAt = this.#options.position()
    const outcome = await this.#ask([], { method: 'PUT', bucket: versionedBucket, key, body: ledger.bytesOf(state) })
    const versionId = this.#last?.headers['x-amz-version-id']
    if (outcome !== 'acknowledged' || versionId === undefined) return undefined
    const cell = ledger.cell({ bucket: versionedBucket, key, versionId })
    cell.events.push({ state, sentAt, acknowledged: this.#told() })
    return cell
  }

  removeVersion(cell: Cell): Promise<Outcome> {
    const { bucket, key, versionId = '' } = cell
    return this.#ask([{ cell, state: 'absent' }], { method: 'DELETE', bucket, key, query: [['versionId', versionId]] })
  }

  async #ask(intents: readonly Intent[], call: Call, isDone: (cell: Cell, answer: Answer) => boolean = () => true): Promise<Outcome> {
    const sentAt = this.#options.position()
    const events = intents.map(({ cell, state }) => {
      const event: LedgerEvent = { state, sentAt, acknowledged: undefined }
      cell.events.push(event)
      return { cell, event }
    })
    let outcome: Outcome = 'silent'
    try {
      this.#last = await this.#options.client.send(call)
      const answer = this.#last
      const isTaken = answer.status >= 200 && answer.status < 300
      const done = isTaken ? events.filter(({ cell }) => isDone(cell, answer)) : []
      for (const { event } of done) event.acknowledged = this.#told()
      outcome = isTaken && done.length === events.length ? 'acknowledged' : 'refused'
    } catch {
      this.#last = undefined
    }
    this.outcomes.push(outcome)
    return outcome
  }

  #told(): { readonly at: number; readonly requestId: string } {
    return { at: this.#options.position(), requestId: this.#last?.headers['x-amz-request-id'] ?? '' }
  }
}
