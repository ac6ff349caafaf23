/** Signs a request as the receiver will check it: SigV4 for service s3, every header covered. */
import aws4 from 'aws4'

export interface SigningKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface RequestToSign {
  readonly method: string
  /** With its query, percent-encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body in hex, or UNSIGNED-PAYLOAD. */
  readonly contentSha256: string
}

export interface Signing {
  /** The receiver's own region. */
  readonly region: string
  /** As the Host header says it. */
  readonly host: string
  readonly key: SigningKey
  readonly nowMs: number
}

export interface SignedRequest {
  readonly path: string
  readonly headers: Record<string, string>
}

/** @returns the path with its query, and all headers, exactly as they must be sent */
export function signRequest({ method, path, headers, contentSha256 }: RequestToSign, { region, host, key, nowMs }: Signing): SignedRequest {
  const result = aws4.sign(
    {
      service: 's3',
      region,
      method,
      path,
      headers: {
        ...headers,
        host,
        'x-amz-date': new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
        'x-amz-content-sha256': contentSha256,
      },
    },
    { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey },
  )
  // aws4 gives back the headers it was given, all of them text, and its own.
  return { path: result.path ?? '', headers: result.headers as Record<string, string> }
}
