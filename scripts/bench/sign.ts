/**
 * SigV4 for the few plain requests of the benchmark: no character of a path or query needs escaping, so that signing costs the
 * load generator little. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { createHmac, hash } from 'node:crypto'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly region: string
}

export interface SignableRequest {
  readonly method: string
  readonly path: string
  /** In canonical order, e.g. `list-type=2&max-keys=1000`. */
  readonly query: string
  /** Lower-case hex, or UNSIGNED-PAYLOAD. */
  readonly payloadHash: string
  /** Further headers by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
}

export const unsignedPayload = 'UNSIGNED-PAYLOAD'
export const emptyPayloadHash = hash('sha256', '')

/** Signs for one host. The day's key and the second's timestamp are kept. */
export class Signer {
  readonly #credentials: Credentials
  readonly #host: string
  #second = 0
  #timestamp = ''
  #day = ''
  #key: Buffer = Buffer.alloc(0)

  constructor(credentials: Credentials, host: string) {
    this.#credentials = credentials
    this.#host = host
  }

  /** @returns the headers to send, without Host, which the HTTP client sets as it was given here */
  sign({ method, path, query, payloadHash, headers: given }: SignableRequest): Record<string, string> {
    this.#refresh()
    const { accessKeyId, region, sessionToken } = this.#credentials
    const sent: Record<string, string> = { ...given, 'x-amz-content-sha256': payloadHash, 'x-amz-date': this.#timestamp }
    if (sessionToken !== undefined) sent['x-amz-security-token'] = sessionToken
    const signed: Readonly<Record<string, string>> = { ...sent, host: this.#host }
    const sorted = Object.keys(signed).sort()
    const names = sorted.join(';')
    let lines = ''
    for (const name of sorted) lines += `${name}:${signed[name]}\n`
    const canonical = `${method}\n${path}\n${query}\n${lines}\n${names}\n${payloadHash}`
    const scope = `${this.#day}/${region}/s3/aws4_request`
    const toSign = `AWS4-HMAC-SHA256\n${this.#timestamp}\n${scope}\n${hash('sha256', canonical)}`
    const signature = createHmac('sha256', this.#key).update(toSign).digest('hex')
    sent['authorization'] = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
    return sent
  }

  #refresh(): void {
    const second = Math.floor(Date.now() / 1000)
    if (second === this.#second) return
    this.#second = second
    this.#timestamp = `${new Date(second * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
    const day = this.#timestamp.slice(0, 8)
    if (day === this.#day) return
    this.#day = day
    const { secretAccessKey, region } = this.#credentials
    this.#key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
      (key, part) => createHmac('sha256', key).update(part).digest(),
      Buffer.from(`AWS4${secretAccessKey}`),
    )
  }
}
