/**
 * Signs requests for a person's key, in the canonical form that regions check them by.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { canonicalHeaders, canonicalQuery, canonicalS3Path, canonicalServicePath, queryPairs } from '../s3/auth/canonical.ts'
import { sha256Hex, sign } from '../s3/auth/signature.ts'
import { SigningKeys } from '../s3/auth/signing-keys.ts'
import { formatAmzDate } from '../s3/auth/time.ts'

/** A person's key. NOTE: never logged, never answered. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export type SignedService = 's3' | 'iam' | 'sts' | 'farshore'

export interface ToSign {
  readonly service: SignedService
  readonly region: string
  readonly method: string
  /** As the Host header says it. */
  readonly host: string
  readonly rawPath: string
  readonly rawQuery: string
  /** Lower-case names, all of which are covered. Values are latin1: one character a byte. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 in hex, or UNSIGNED-PAYLOAD. */
  readonly payload: string
}

export const unsignedPayload = 'UNSIGNED-PAYLOAD'

const algorithm = 'AWS4-HMAC-SHA256'
/** Of one person: some regions and services, of yesterday too. */
const signingKeysMax = 16

export class Signer {
  /** What is derived from a key goes with it. */
  readonly #keys = new WeakMap<Credentials, SigningKeys>()

  /** @returns all headers, as they must be sent */
  headers(request: ToSign, credentials: Credentials, nowMs: number): Record<string, string> {
    const { service, region, method, host, rawPath, rawQuery, payload } = request
    const date = formatAmzDate(nowMs)
    const headers: Record<string, string> = {
      ...request.headers,
      host,
      'x-amz-date': date,
      'x-amz-content-sha256': payload,
      ...(credentials.sessionToken !== undefined && { 'x-amz-security-token': credentials.sessionToken }),
    }
    const names = Object.keys(headers).sort()
    const canonical = [
      method,
      service === 's3' ? canonicalS3Path(rawPath) : canonicalServicePath(rawPath),
      canonicalQuery(queryPairs(rawQuery)),
      canonicalHeaders(Object.entries(headers).flat(), names).text,
      names.join(';'),
      payload,
    ].join('\n')
    const scope = scopeOf({ date, region, service })
    const signature = this.#signature({ canonical, date, scope, region, service }, credentials)
    headers['authorization'] =
      `${algorithm} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
    return headers
  }

  /** @returns the query that makes an address good for a time, without headers but Host */
  query(
    request: Omit<ToSign, 'service' | 'headers' | 'payload'> & { readonly expiresSeconds: number },
    credentials: Credentials,
    nowMs: number,
  ): string {
    const { region, method, host, rawPath, rawQuery, expiresSeconds } = request
    const date = formatAmzDate(nowMs)
    const scope = scopeOf({ date, region, service: 's3' })
    const added = new URLSearchParams({
      'X-Amz-Algorithm': algorithm,
      'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
      'X-Amz-Date': date,
      'X-Amz-Expires': String(expiresSeconds),
      'X-Amz-SignedHeaders': 'host',
      ...(credentials.sessionToken !== undefined && { 'X-Amz-Security-Token': credentials.sessionToken }),
    }).toString()
    const query = canonicalQuery(queryPairs(rawQuery === '' ? added : `${rawQuery}&${added}`))
    const canonical = [method, canonicalS3Path(rawPath), query, `host:${host}\n`, 'host', unsignedPayload].join('\n')
    return `${query}&X-Amz-Signature=${this.#signature({ canonical, date, scope, region, service: 's3' }, credentials)}`
  }

  #signature(
    of: {
      readonly canonical: string
      readonly date: string
      readonly scope: string
      readonly region: string
      readonly service: SignedService
    },
    credentials: Credentials,
  ): string {
    const { canonical, date, scope, region, service } = of
    const keys = this.#keys.get(credentials) ?? new SigningKeys(signingKeysMax)
    this.#keys.set(credentials, keys)
    const key = keys.get({ secretAccessKey: credentials.secretAccessKey, date: date.slice(0, 8), region, service })
    return sign(key, [algorithm, date, scope, sha256Hex(Buffer.from(canonical, 'latin1'))].join('\n'))
  }
}

function scopeOf({ date, region, service }: { readonly date: string; readonly region: string; readonly service: SignedService }): string {
  return `${date.slice(0, 8)}/${region}/${service}/aws4_request`
}
