/** Signs a message as its receiver will check it: SigV4 in the receiver's own region. */
import { hash } from 'node:crypto'
import { type SignedRequest, type Signing, signRequest } from '../lib/sign-request.ts'
import type { PeerRequest } from './client.ts'
import { peerPrefix, protocolHeader, protocolVersion } from './protocol.ts'

export function signed(request: PeerRequest, signing: Signing): SignedRequest {
  const { method, path, query = {}, headers, body } = request
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString()
  const isStream = body !== undefined && !Buffer.isBuffer(body)
  return signRequest(
    {
      method,
      path: peerPrefix + path + (search === '' ? '' : `?${search}`),
      headers: { ...headers, [protocolHeader]: protocolVersion },
      contentSha256: isStream ? 'UNSIGNED-PAYLOAD' : hash('sha256', body ?? '', 'hex'),
    },
    signing,
  )
}
