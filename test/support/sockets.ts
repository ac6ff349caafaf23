/** The head of a signed request as text, for a bare socket: what an HTTP client would rather not send. */
import { sign } from 'aws4'
import { accessKeyId, type RawRequest, secretAccessKey, type TestRegion } from './region.ts'

/** Ends with the empty line; the body is the caller's to send. UNSIGNED-PAYLOAD unless the headers say otherwise. */
export function signedHead({ port, name }: Pick<TestRegion, 'port' | 'name'>, request: Omit<RawRequest, 'body'>): string {
  const { method, path, signed = true } = request
  const plain = { Host: `127.0.0.1:${port}`, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD', ...request.headers }
  const { headers = {} } = signed
    ? sign({ service: 's3', region: name, method, path, headers: plain }, { accessKeyId, secretAccessKey })
    : { headers: plain }
  // What is signed is UTF-8; the socket writes one byte a character.
  const lines = Object.entries(headers).map(([header, value]) => `${header}: ${Buffer.from(String(value)).toString('latin1')}`)
  return [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}
