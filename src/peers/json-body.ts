import type { PeerRequest } from './client.ts'

/** @example peer.request({ method: 'POST', path: 'v1/changed', ...jsonBody({ bucketIds }) }) */
export function jsonBody(value: unknown): Required<Pick<PeerRequest, 'headers' | 'body'>> {
  return { headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)) }
}
