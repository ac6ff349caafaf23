/** XML that is meant to hurt, sent to every operation that reads XML: refused at once, and nothing changes. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { xmlBodyMaxBytes, xmlListBodyMaxBytes } from '../../src/model/limits.ts'
import { Client, createBucket, elements, expectStatus } from './client.ts'
import { memoryOf, type Region, startRegion } from './region.ts'
import type { Pairs } from './signer.ts'
import { ask, type WireAnswer } from './wire.ts'

const bucket = 'documents'
const answerMaxMs = 2000
const memoryMaxMib = 400

let folder = ''
let region: Region
let client: Client
let uploadId = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farshore-documents-'))
  region = await startRegion({ folder })
  client = new Client(region.port)
  await createBucket(client, bucket, { isVersioned: true })
  expectStatus(await client.send({ method: 'PUT', bucket, key: 'key', body: Buffer.from('kept') }), 200)
  const created = await client.send({ method: 'POST', bucket, key: 'parts', query: [['uploads', '']] })
  uploadId = elements(expectStatus(created, 200).body.toString(), 'UploadId')[0] ?? ''
})
afterAll(async () => {
  await client?.close()
  await region?.kill()
  rmSync(folder, { recursive: true, force: true })
})

interface Reader {
  readonly method: string
  readonly bucket?: string
  readonly key?: string
  readonly query: () => Pairs
  readonly root: string
  /** Bytes of the largest document that it reads. */
  readonly maxBytes: number
}

const readers: Readonly<Record<string, Reader>> = {
  CreateBucket: { method: 'PUT', bucket: 'documents-new', query: () => [], root: 'CreateBucketConfiguration', maxBytes: xmlBodyMaxBytes },
  PutBucketVersioning: configuration('versioning', 'VersioningConfiguration'),
  PutBucketReplication: { ...configuration('replication', 'ReplicationConfiguration'), maxBytes: xmlListBodyMaxBytes },
  PutBucketEncryption: configuration('encryption', 'ServerSideEncryptionConfiguration'),
  PutBucketTagging: configuration('tagging', 'Tagging'),
  PutBucketAcl: configuration('acl', 'AccessControlPolicy'),
  PutObjectTagging: { ...configuration('tagging', 'Tagging'), key: 'key' },
  PutObjectAcl: { ...configuration('acl', 'AccessControlPolicy'), key: 'key' },
  RestoreObject: { method: 'POST', key: 'key', query: () => [['restore', '']], root: 'RestoreRequest', maxBytes: xmlBodyMaxBytes },
  DeleteObjects: { method: 'POST', query: () => [['delete', '']], root: 'Delete', maxBytes: xmlListBodyMaxBytes },
  CompleteMultipartUpload: {
    method: 'POST',
    key: 'parts',
    query: () => [['uploadId', uploadId]],
    root: 'CompleteMultipartUpload',
    maxBytes: xmlListBodyMaxBytes,
  },
}

function configuration(name: string, root: string): Reader {
  return { method: 'PUT', query: () => [[name, '']], root, maxBytes: xmlBodyMaxBytes }
}

/** Each with what stands in front of the root, inside it, and behind it. */
const hostile: Readonly<Record<string, (root: string) => string | Buffer>> = {
  'a DOCTYPE': (root) => `<!DOCTYPE ${root}><${root}/>`,
  'a file as an entity': (root) => `<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><${root}>&f;</${root}>`,
  'a billion laughs': (root) =>
    `<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(1000)}"><!ENTITY c "${'&b;'.repeat(1000)}">]><${root}>&c;</${root}>`,
  'an unknown entity': (root) => `<${root}>&nbsp;</${root}>`,
  'a reference to no character': (root) => `<${root}>&#xD800;&#0;&#x110000;</${root}>`,
  'a processing instruction': (root) => `<${root}><?php ?></${root}>`,
  'elements 5000 deep': (root) => `<${root}>${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}</${root}>`,
  'elements that never end': (root) => `<${root}>${'<a>'.repeat(20_000)}`,
  'more elements than any document has': (root) => `<${root}>${'<a/>'.repeat(200_001)}</${root}>`,
  'attributes without end': (root) => `<${root} ${'a="b" '.repeat(5000)}`,
  'an attribute twice': (root) => `<${root} a="1" a="2"/>`,
  'two roots': (root) => `<${root}/><${root}/>`,
  'no root': () => '<!-- nothing -->',
  'another root': () => '<__proto__><constructor/></__proto__>',
  'names of JavaScript': (root) => `<${root}><__proto__><polluted>1</polluted></__proto__><toString/></${root}>`,
  'a comment that never ends': (root) => `<${root}><!--${'-'.repeat(50_000)}`,
  'text that never ends': (root) => `<${root}><![CDATA[${']'.repeat(50_000)}`,
  'bytes that are not UTF-8': (root) =>
    Buffer.concat([Buffer.from(`<${root}>`), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from(`</${root}>`)]),
  'UTF-16': (root) => Buffer.from(`\uFEFF<${root}/>`, 'utf16le'),
  'a NUL': (root) => `<${root}>\0</${root}>`,
  JSON: () => '{"Status":"Enabled"}',
}

describe.each(Object.entries(readers))('%s', (_name, reader) => {
  it.each(Object.entries(hostile))('refuses %s', async (_what, document) => {
    const answer = await sendTo(reader, Buffer.from(document(reader.root) as string)) // A buffer is taken as well as a string.
    expect(answer.status).toBe(400)
    expect(answer.code).toMatch(/^Malformed(XML|ACLError)$|^IllegalVersioningConfigurationException$/)
    await expectNothingChanged()
  })

  it('refuses a document that is too large, before it has read all of it', async () => {
    const document = Buffer.from(`<${reader.root}>${' '.repeat(reader.maxBytes)}</${reader.root}>`)
    const answer = await sendTo(reader, document)
    // How much of a refused body is still read is limited: a client that only writes may meet the end of the connection before the answer.
    if (answer.status !== 0) expect([answer.status, answer.code]).toEqual([400, 'MaxMessageLengthExceeded'])
    await expectNothingChanged()
  })
})

it('all that was refused has cost no lasting memory, and nothing to report', () => {
  expect(region.isAlive()).toBe(true)
  expect(region.log()).toBe('')
  expect(memoryOf(region.pid).rssMib).toBeLessThan(memoryMaxMib)
})

async function sendTo(reader: Reader, body: Buffer): Promise<WireAnswer> {
  const started = performance.now()
  const answer = await ask(region.port, {
    method: reader.method,
    bucket: reader.bucket ?? bucket,
    query: reader.query(),
    headers: [['content-md5', createHash('md5').update(body).digest('base64')]],
    body,
    ...(reader.key === undefined ? {} : { key: reader.key }),
  })
  expect(performance.now() - started).toBeLessThan(answerMaxMs)
  return answer
}

async function expectNothingChanged(): Promise<void> {
  const versions = expectStatus(await client.send({ method: 'GET', bucket, query: [['versions', '']] }), 200).body.toString()
  expect([elements(versions, 'Key'), elements(versions, 'IsLatest')]).toEqual([['key'], ['true']])
  expectStatus(await client.send({ method: 'HEAD', bucket: 'documents-new' }), 404)
  expectStatus(await client.send({ method: 'GET', bucket, query: [['tagging', '']] }), 404)
  expectStatus(await client.send({ method: 'GET', bucket, query: [['replication', '']] }), 404)
  const head = expectStatus(await client.send({ method: 'HEAD', bucket, key: 'key' }), 200)
  expect(head.headers['x-amz-tagging-count']).toBeUndefined()
  const parts = expectStatus(await client.send({ method: 'GET', bucket, key: 'parts', query: [['uploadId', uploadId]] }), 200)
  expect(elements(parts.body.toString(), 'PartNumber')).toEqual([])
}
