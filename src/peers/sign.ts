/** Signs a message as its receiver will check it: SigV4 for service s3 in the receiver's own region, every header covered. */
import { hash } from 'node:crypto'
import aws4 from 'aws4'
import type { PeerRequest } from './client.ts'
import type { PeerKey } from './credentials.ts'
import { peerPrefix, protocolHeader, protocolVersion } from './protocol.ts'

interface Signing {
  readonly region: string
  /** As the Host header says it. */
  readonly host: string
  readonly key: PeerKey
  readonly nowMs: number
}

/** @returns the path with its query, and all headers, exactly as they must be sent */
export function signed(
  request: PeerRequest,
  { region, host, key, nowMs }: Signing,
): { readonly path: string; readonly headers: Record<string, string> } {
  const { method, path, query = {}, headers, body } = request
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString()
  const isStream = body !== undefined && !Buffer.isBuffer(body)
  const result = aws4.sign(
    {
      service: 's3',
      region,
      method,
      path: peerPrefix + path + (search === '' ? '' : `?${search}`),
      headers: {
        ...headers,
        host,
        [protocolHeader]: protocolVersion,
        'x-amz-date': new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
        'x-amz-content-sha256': isStream ? 'UNSIGNED-PAYLOAD' : hash('sha256', body ?? '', 'hex'),
      },
    },
    key,
  )
  // aws4 gives back the headers it was given, all of them text, and its own.
  return { path: result.path ?? '', headers: result.headers as Record<string, string> }
}
