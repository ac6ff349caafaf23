/** One request an operation, made from its route: enough for whoever is allowed to get past the check, and no more. */
import { createHash } from 'node:crypto'
import { sign } from 'aws4'
import type { Operation } from '../../../src/s3/define.ts'

export interface Identity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface MatrixRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An object that is there and stays; whatever is written or deleted is another. */
export const standingKey = 'standing'

export const writtenKey = 'written'

interface Sample {
  readonly bucket: string
  readonly role: string
  /** Of `writtenKey`; whoever aborts it is not the last to be asked. */
  readonly uploadId: string
}

export function requestFor({ name, route }: Operation, { bucket, role, uploadId }: Sample): MatrixRequest {
  const isOfUpload = route.query.has('uploadId')
  const isRead = route.method === 'GET' || route.method === 'HEAD' || route.query.has('tagging') || route.query.has('acl')
  const key = isRead && !isOfUpload ? standingKey : writtenKey
  const path = { service: '/', bucket: `/${bucket}`, object: `/${bucket}/${key}` }[route.shape]
  const samples: Readonly<Record<string, string>> = { partNumber: '1', uploadId }
  const query = [...route.query].map(([word, value]) => `${word}=${value ?? samples[word] ?? ''}`).join('&')
  const body = bodies[name]?.(role) ?? ''
  const headers = {
    ...(route.headers.includes('x-amz-copy-source') && { 'x-amz-copy-source': `/${bucket}/${standingKey}` }),
    ...(name === 'GetObjectAttributes' && { 'x-amz-object-attributes': 'ETag' }),
    ...(name === 'PostObject' && { 'content-type': 'multipart/form-data; boundary=edge' }),
    ...(body !== '' && { 'content-md5': createHash('md5').update(body).digest('base64') }),
  }
  return { method: route.method, path: query === '' ? path : `${path}?${query}`, headers, body }
}

/** Those whose further checks come behind a body that can be read. */
const bodies: Readonly<Record<string, (role: string) => string>> = {
  PutBucketPolicy: () => '{}',
  PutObjectRetention: () => '<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2099-01-01T00:00:00Z</RetainUntilDate></Retention>',
  PutObjectLegalHold: () => '<LegalHold><Status>ON</Status></LegalHold>',
  DeleteObjects: () => '<Delete><Object><Key>written</Key></Object></Delete>',
  PostObject: () => {
    const part = (words: string, value: string) => `--edge\r\nContent-Disposition: form-data; ${words}\r\n\r\n${value}\r\n`
    return `${part('name="key"', writtenKey)}${part('name="file"; filename="f"', 'bytes')}--edge--\r\n`
  },
  PutBucketReplication: (role) =>
    `<ReplicationConfiguration><Role>${role}</Role><Rule><Status>Enabled</Status><Prefix></Prefix>` +
    '<Destination><Bucket>arn:aws:s3:::nowhere-at-all</Bucket></Destination></Rule></ReplicationConfiguration>',
}

export type Outcome = 'allowed' | 'refused'

const refusals = ['InvalidAccessKeyId', 'InvalidToken', 'ExpiredToken', 'AccessDenied']

/** Sends it; `identity` undefined: anonymous. @throws Error for an answer that says neither */
export async function outcomeOf(
  request: MatrixRequest,
  { endpoint, region, identity }: { readonly endpoint: string; readonly region: string; readonly identity: Identity | undefined },
): Promise<Outcome> {
  const { method, path, body } = request
  const { host } = new URL(endpoint)
  const options = { host, service: 's3', region, method, path, headers: { ...request.headers }, body }
  const signed = identity === undefined ? options : sign(options, identity)
  const headers = Object.entries(signed.headers ?? {}).filter(([name]) => !['host', 'content-length'].includes(name.toLowerCase()))
  const answer = await fetch(endpoint + path, {
    method,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
    redirect: 'manual',
    ...(method !== 'GET' && method !== 'HEAD' && { body }),
  })
  const text = await answer.text()
  const codes = [...text.matchAll(/<Code>([^<]*)<\/Code>/g)].map((found) => found[1] ?? '')
  if (answer.status >= 500) throw new Error(`${method} ${path} was answered ${answer.status} ${text}`)
  const isRefused = answer.status === 403 || answer.status === 405 || codes.some((code) => refusals.includes(code))
  return isRefused ? 'refused' : 'allowed'
}
