/** Requests by chance: a sound one of some operation, with nothing, one or two things about it made odd. */
import { createHash } from 'node:crypto'
import type { Random } from './random.ts'
import { type Pairs, sha256 } from './signer.ts'
import type { WireRequest } from './wire.ts'

/** Upload and version ids that the region has given: what is odd must also meet what is real. */
export interface Known {
  readonly uploadIds: readonly string[]
  readonly versionIds: readonly string[]
}

export const buckets = ['plain', 'versioned'] as const

interface Draft {
  method: string
  at: 'service' | 'bucket' | 'object'
  query: [name: string, value: string][]
  headers: Map<string, string>
  body?: Buffer
  service?: 'iam' | 'sts'
}

interface Template extends Pick<Draft, 'method' | 'at'> {
  readonly query?: Pairs
  readonly headers?: Pairs
  readonly body?: string | Buffer
  readonly service?: 'iam' | 'sts'
}

const trust =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
const allowAll = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
const tagDocument = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>'
const encryption = '<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>'
const rule = `<Rule><ID>a</ID><Priority>1</Priority><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>
  <Status>Enabled</Status><Filter><Prefix>k</Prefix></Filter><Destination><Bucket>arn:aws:s3:::versioned</Bucket></Destination></Rule>`

/** A sound request of every operation. */
function templates(random: Random, { uploadIds, versionIds }: Known): readonly Template[] {
  const upload = ['uploadId', uploadIds.length === 0 ? 'none' : random.pick(uploadIds)] as const
  const version = ['versionId', versionIds.length === 0 ? 'null' : random.pick(versionIds)] as const
  const object = (method: string, more: Partial<Template> = {}): Template => ({ method, at: 'object', ...more })
  const bucket = (method: string, more: Partial<Template> = {}): Template => ({ method, at: 'bucket', ...more })
  const sub = (name: string): Pairs => [[name, '']]
  const call = (service: 'iam' | 'sts', action: string, more = ''): Template => ({
    method: 'POST',
    at: 'service',
    service,
    headers: [['content-type', 'application/x-www-form-urlencoded']],
    body: `Action=${action}&Version=${service === 'sts' ? '2011-06-15' : '2010-05-08'}${more}`,
  })
  const source = [
    'x-amz-copy-source',
    random.pick(['/plain/key', '/versioned/key', 'plain/other', '/versioned/other?versionId=null']),
  ] as const
  return [
    object('PUT', { body: random.bytes(random.pick([0, 1, 5, 1000, 131_072, 131_073])) }),
    object('PUT', {
      body: 'hello',
      headers: [
        ['x-amz-tagging', 'a=b&c=d'],
        ['x-amz-meta-a', 'b'],
        ['content-type', 'text/plain'],
      ],
    }),
    object('PUT', { headers: [source, ['x-amz-metadata-directive', random.pick(['COPY', 'REPLACE'])]] }),
    object('GET'),
    object('GET', { headers: [['range', random.pick(['bytes=0-3', 'bytes=-2', 'bytes=4-', 'bytes=3-1'])]] }),
    object('GET', { query: [version] }),
    object('HEAD', { query: [['partNumber', '1']] }),
    object('DELETE'),
    object('DELETE', { query: [version] }),
    object('GET', { query: sub('tagging') }),
    object('PUT', { query: sub('tagging'), body: tagDocument }),
    object('DELETE', { query: sub('tagging') }),
    object('GET', { query: sub('acl') }),
    object('PUT', { query: sub('acl'), headers: [['x-amz-acl', 'private']] }),
    object('GET', {
      query: sub('attributes'),
      headers: [['x-amz-object-attributes', 'ETag,Checksum,ObjectParts,StorageClass,ObjectSize']],
    }),
    object('POST', {
      query: sub('uploads'),
      headers: [
        ['x-amz-checksum-algorithm', 'SHA256'],
        ['x-amz-checksum-type', 'COMPOSITE'],
      ],
    }),
    object('POST', { query: sub('uploads') }),
    object('PUT', { query: [['partNumber', '1'], upload], body: 'hello' }),
    object('PUT', { query: [['partNumber', '2'], upload], headers: [source, ['x-amz-copy-source-range', 'bytes=0-3']] }),
    object('GET', { query: [upload, ['max-parts', '1']] }),
    object('DELETE', { query: [upload] }),
    object('POST', {
      query: [upload],
      body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"${md5('hello').toString('hex')}"</ETag></Part></CompleteMultipartUpload>`,
    }),
    bucket('GET'),
    bucket('GET', {
      query: [
        ['list-type', '2'],
        ['prefix', 'k'],
        ['delimiter', '/'],
        ['max-keys', '1'],
      ],
    }),
    bucket('GET', {
      query: [
        ['versions', ''],
        ['key-marker', 'key'],
        ['version-id-marker', version[1]],
      ],
    }),
    bucket('GET', {
      query: [
        ['uploads', ''],
        ['key-marker', 'a'],
        ['upload-id-marker', upload[1]],
      ],
    }),
    bucket('POST', {
      query: sub('delete'),
      body: `<Delete><Object><Key>key</Key></Object><Object><Key>other</Key><VersionId>${version[1]}</VersionId></Object></Delete>`,
    }),
    bucket('PUT'),
    bucket('HEAD'),
    bucket('GET', { query: sub('location') }),
    bucket('PUT', { query: sub('versioning'), body: '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>' }),
    bucket('PUT', { query: sub('versioning'), body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' }),
    bucket('PUT', { query: sub('tagging'), body: tagDocument }),
    bucket('PUT', {
      query: sub('encryption'),
      body: `<ServerSideEncryptionConfiguration><Rule>${encryption}</Rule></ServerSideEncryptionConfiguration>`,
    }),
    bucket('PUT', {
      query: sub('replication'),
      body: `<ReplicationConfiguration><Role>arn:aws:iam::123456789012:role/r</Role>${rule}</ReplicationConfiguration>`,
    }),
    bucket('PUT', { query: sub('acl'), headers: [['x-amz-acl', 'private']] }),
    ...['tagging', 'encryption', 'replication', 'versioning', 'acl'].map((name) => bucket('GET', { query: sub(name) })),
    ...['tagging', 'encryption', 'replication'].map((name) => bucket('DELETE', { query: sub(name) })),
    {
      method: 'GET',
      at: 'service',
      query: [
        ['max-buckets', '1'],
        ['prefix', 'p'],
      ],
    },
    call('sts', 'GetCallerIdentity'),
    call('iam', 'CreateRole', `&RoleName=r&AssumeRolePolicyDocument=${encodeURIComponent(trust)}`),
    call('iam', 'PutRolePolicy', `&RoleName=r&PolicyName=p&PolicyDocument=${encodeURIComponent(allowAll)}`),
    ...['GetRole', 'ListRolePolicies', 'DeleteRole'].map((action) => call('iam', action, '&RoleName=r')),
    ...['GetRolePolicy', 'DeleteRolePolicy'].map((action) => call('iam', action, '&RoleName=r&PolicyName=p')),
  ]
}

// biome-ignore format: lists of words
const values = ['', '0', '-1', '1', '1.5', '10001', '99999999999999999999', '0x10', 'NaN', 'null', '__proto__', 'constructor', '../..', '%', '%00', ' ',
  'é', '\u{1f600}', '\u{ffff}', '*', '"x"', '<a/>', '&#1;', 'bytes=0-', 'bytes=5-1', 'AES256', 'aws:kms', 'url', '/', 'COPY', 'REPLACE', 'GLACIER',
  'private', 'public-read', 'k=v&k=w', 'CRC32', 'SHA256', 'COMPOSITE', 'Mon, 23 Nov 2026 09:00:00 GMT', 'AAAAAA==', 'us-east-1', '123456789012', 'a'.repeat(1100)]
// biome-ignore format: lists of words
const queryNames = ['acl', 'tagging', 'versions', 'uploads', 'uploadId', 'partNumber', 'versionId', 'max-keys', 'prefix', 'marker', 'key-marker',
  'version-id-marker', 'delimiter', 'encoding-type', 'list-type', 'continuation-token', 'start-after', 'attributes', 'delete', 'location', 'versioning',
  'replication', 'encryption', 'response-content-type', 'response-expires', 'max-uploads', 'upload-id-marker', 'max-parts', 'part-number-marker', 'policy',
  'id', 'Action', 'fetch-owner', 'max-buckets', 'X-Amz-Expires', 'X-Amz-Algorithm', 'x-amz-acl', 'x-amz-meta-a', 'restore', 'select', 'torrent']
// biome-ignore format: lists of words
const headerNames = ['range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'x-amz-copy-source', 'x-amz-copy-source-range',
  'x-amz-copy-source-if-match', 'x-amz-copy-source-if-modified-since', 'x-amz-tagging', 'x-amz-tagging-directive', 'x-amz-metadata-directive', 'x-amz-acl',
  'x-amz-grant-read', 'x-amz-storage-class', 'content-type', 'content-md5', 'content-disposition', 'expires', 'content-encoding', 'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c', 'x-amz-checksum-crc64nvme', 'x-amz-checksum-sha1', 'x-amz-checksum-sha256', 'x-amz-checksum-algorithm', 'x-amz-checksum-type',
  'x-amz-checksum-mode', 'x-amz-sdk-checksum-algorithm', 'x-amz-object-attributes', 'x-amz-max-parts', 'x-amz-part-number-marker', 'x-amz-mp-object-size',
  'x-amz-decoded-content-length', 'x-amz-expected-bucket-owner', 'x-amz-bucket-object-lock-enabled', 'x-amz-object-ownership', 'x-amz-trailer',
  'x-amz-website-redirect-location', 'x-amz-server-side-encryption', 'x-amz-meta-a', 'x-amz-meta-__proto__', 'x-amz-security-token', 'x-amz-if-match-size',
  'x-amz-mfa', 'origin', 'x-farshore-version-id', 'x-amz-replication-status']
const oddKeys = ['a/../b', '..', '../x', 'a//b', '__proto__', '\u{1f600}', 'é', 'x'.repeat(1025), '\0', '\u0001', ' ', '.', 'k?x', '%2e%2e']

export function chooseRequest(random: Random, known: Known): WireRequest {
  const { body, ...template } = random.pick(templates(random, known))
  const draft: Draft = {
    ...template,
    query: (template.query ?? []).map(([name, value]) => [name, value]),
    headers: new Map(template.headers),
    ...(body === undefined ? {} : { body: Buffer.from(body as string) }), // A buffer is taken as well as a string.
  }
  for (let changes = random.pick([0, 1, 1, 2]); changes > 0; changes--) random.pick(mutations)(random, draft)
  return requestOf(random, draft)
}

const mutations: readonly ((random: Random, draft: Draft) => void)[] = [
  (random, { query }) => {
    const pair = query[random.below(query.length + 1)]
    if (pair !== undefined) pair[1] = random.pick(values)
  },
  (random, { query }) => query.push([random.pick(queryNames), random.pick(values)]),
  (random, { headers }) => headers.set(random.pick(headerNames), headerValue(random)),
  (random, { headers }) => {
    const [name] = headers.keys()
    if (name !== undefined) headers.set(name, headerValue(random))
  },
  (random, draft) => {
    if (draft.body !== undefined) draft.body = spoil(random, draft.body)
  },
  (random, draft) => {
    draft.method = random.pick(['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'])
  },
]

function requestOf(random: Random, { method, at, query, headers, body, service }: Draft): WireRequest {
  // DeleteObjects insists on it; elsewhere it is checked when it is there.
  if (body !== undefined && query.some(([name]) => name === 'delete')) headers.set('content-md5', md5(body).toString('base64'))
  const key = random.oneIn(12) ? random.pick(oddKeys) : random.pick(['key', 'key', 'other'])
  return {
    method,
    query,
    headers: [...headers],
    ...(at === 'service' ? {} : { bucket: random.oneIn(12) ? random.pick(['absent', 'UPPER', 'new-bucket']) : random.pick(buckets) }),
    ...(at === 'object' ? { key } : {}),
    ...(body === undefined ? {} : { body }),
    ...(service === undefined ? {} : { service, payload: sha256(body ?? '') }),
  }
}

/** As bytes: a header is no text in any coding. */
function headerValue(random: Random): string {
  return Buffer.from(random.pick(values)).toString('latin1').trim()
}

function spoil(random: Random, body: Buffer): Buffer {
  const text = body.toString('latin1')
  const at = random.below(text.length + 1)
  const word = Buffer.from(random.pick(values)).toString('latin1')
  const ways = [
    () => text.slice(0, at),
    () => text.slice(0, at) + word + text.slice(at),
    () => text.slice(0, at) + text.slice(at + random.below(12)),
    () => text.replace(/>([^<]+)</g, (found) => (random.oneIn(2) ? `>${word}<` : found)),
    () => text.replace(/=([^&]*)/g, (found) => (random.oneIn(3) ? `=${encodeURIComponent(random.pick(values))}` : found)),
    () => text + text,
  ]
  return Buffer.from(random.pick(ways)(), 'latin1')
}

function md5(data: string | Buffer): Buffer {
  return createHash('md5').update(data).digest()
}
