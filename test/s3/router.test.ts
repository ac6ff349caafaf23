import { describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { knownOperations } from '../../src/s3/known-operations.ts'
import { query } from '../../src/s3/members.ts'
import { QueryString } from '../../src/s3/query-string.ts'
import type { RouteShape } from '../../src/s3/route.ts'
import { parseRoute } from '../../src/s3/route.ts'
import { Router } from '../../src/s3/router.ts'
import { named } from './operations.ts'

const served = [
  named('ListBuckets', 'GET /'),
  named('CreateBucket', 'PUT /{Bucket}'),
  named('DeleteBucket', 'DELETE /{Bucket}'),
  named('ListObjects', 'GET /{Bucket}'),
  named('ListObjectsV2', 'GET /{Bucket}?list-type=2'),
  named('ListObjectVersions', 'GET /{Bucket}?versions'),
  named('PutObject', 'PUT /{Bucket}/{Key+}'),
  named('CopyObject', 'PUT /{Bucket}/{Key+} [x-amz-copy-source]'),
  named('UploadPart', 'PUT /{Bucket}/{Key+}?partNumber&uploadId'),
  named('UploadPartCopy', 'PUT /{Bucket}/{Key+}?partNumber&uploadId [x-amz-copy-source]'),
  named('PutObjectTagging', 'PUT /{Bucket}/{Key+}?tagging'),
  named('GetObject', 'GET /{Bucket}/{Key+}', {
    input: { partNumber: query('partNumber').optional(), versionId: query('versionId').optional() },
  }),
  named('DeleteObject', 'DELETE /{Bucket}/{Key+}'),
]
const router = new Router(served)

function ask(method: string, shape: RouteShape, search = '', headers: Record<string, string> = {}): string {
  try {
    return router.match({ method, shape, query: new QueryString(search), headers }).name
  } catch (error) {
    if (error instanceof S3Error) return `${error.status} ${error.code}: ${error.message}`
    throw error
  }
}

describe('Router', () => {
  it.each([
    ['GET', 'service', '', {}, 'ListBuckets'],
    ['GET', 'service', 'x-id=ListBuckets', {}, 'ListBuckets'],
    ['GET', 'bucket', '', {}, 'ListObjects'],
    ['GET', 'bucket', 'prefix=a&delimiter=/', {}, 'ListObjects'],
    ['GET', 'bucket', 'prefix=a&list-type=2', {}, 'ListObjectsV2'],
    ['GET', 'bucket', 'versions', {}, 'ListObjectVersions'],
    ['PUT', 'object', 'x-id=PutObject', {}, 'PutObject'],
    ['PUT', 'object', '', { 'x-amz-copy-source': 'a/b' }, 'CopyObject'],
    ['PUT', 'object', 'uploadId=u&partNumber=1', {}, 'UploadPart'],
    ['PUT', 'object', 'partNumber=1&uploadId=u', { 'x-amz-copy-source': 'a/b' }, 'UploadPartCopy'],
    ['PUT', 'object', 'tagging', { 'x-amz-copy-source': 'a/b' }, 'PutObjectTagging'],
    ['GET', 'object', 'partNumber=1&versionId=v', {}, 'GetObject'],
    ['GET', 'object', 'unknown=1&id=2', {}, 'GetObject'],
  ] as const)('takes %s %s ?%s %j to %s', (method, shape, search, headers, name) => {
    expect(ask(method, shape, search, headers)).toBe(name)
  })

  it.each([
    ['GET', 'bucket', 'cors', '501 NotImplemented: The operation GetBucketCors is not implemented.'],
    ['GET', 'bucket', 'inventory&id=1', '501 NotImplemented: The operation GetBucketInventoryConfiguration is not implemented.'],
    ['GET', 'bucket', 'inventory', '501 NotImplemented: The operation ListBucketInventoryConfigurations is not implemented.'],
    ['POST', 'bucket', '', '501 NotImplemented: The operation PostObject is not implemented.'],
    ['POST', 'object', 'select&select-type=2', '501 NotImplemented: The operation SelectObjectContent is not implemented.'],
    ['GET', 'object', 'torrent', '501 NotImplemented: The operation GetObjectTorrent is not implemented.'],
    ['GET', 'object', 'tagging&versionId=v', '501 NotImplemented: The operation GetObjectTagging is not implemented.'],
  ] as const)('names the operation that %s %s ?%s would be', (method, shape, search, answer) => {
    expect(ask(method, shape, search)).toBe(answer)
  })

  it.each([
    ['PATCH', 'object', ''],
    ['POST', 'service', ''],
    ['PUT', 'service', ''],
    ['POST', 'object', ''],
    // What would otherwise delete a bucket, an object, or overwrite one.
    ['DELETE', 'bucket', 'acl'],
    ['DELETE', 'object', 'acl'],
    ['DELETE', 'object', 'partNumber=1'],
    ['PUT', 'object', 'lifecycle'],
    ['GET', 'object', 'versions'],
  ] as const)('refuses %s %s ?%s with 405', (method, shape, search) => {
    expect(ask(method, shape, search)).toMatch(/^405 MethodNotAllowed/)
  })

  it.each([
    ['PUT', 'object', 'partNumber=1', 'partNumber'],
    ['PUT', 'object', 'uploadId=u', 'uploadId'],
    ['GET', 'bucket', 'list-type=1', 'list-type'],
    ['PUT', 'object', 'versionId=v', 'version-id'],
    ['GET', 'bucket', 'versions&list-type=2', 'Conflicting query string parameters: list-type, versions'],
  ] as const)('refuses %s %s ?%s with 400', (method, shape, search, message) => {
    expect(ask(method, shape, search)).toMatch(/^400 InvalidArgument/)
    expect(ask(method, shape, search)).toContain(message)
  })

  it('does not start with two operations of one route', () => {
    const twins = [named('A', 'PUT /{Bucket}?acl&versionId'), named('B', 'PUT /{Bucket}?versionId&acl')]
    expect(() => new Router(twins)).toThrow('two operations share PUT bucket acl&versionId')
  })

  it('does not start with two operations of one name', () => {
    expect(() => new Router([named('A', 'PUT /{Bucket}'), named('A', 'GET /{Bucket}')])).toThrow('two operations share A')
  })

  it.each(['GET', 'get /{Bucket}', 'GET /{Key+}', 'GET /{Bucket}/x', 'GET /{Bucket} acl'])('does not take %s for a route', (text) => {
    expect(() => parseRoute(text)).toThrow('not a route')
  })
})

describe('knownOperations', () => {
  it('gives every operation a name and a route of its own', () => {
    const known = knownOperations()
    expect(known.length).toBeGreaterThanOrEqual(107)
    expect(() => new Router(known.map(({ name, route }) => named(name, route.text)))).not.toThrow()
  })
})

describe('QueryString', () => {
  it('decodes once, with + as a space, and tells an empty value from an absent one', () => {
    const parsed = new QueryString('a=1%2B1+x&b&c=%252F&&__proto__=p&=n')
    expect([...parsed.entries()]).toEqual([
      ['a', '1+1 x'],
      ['b', ''],
      ['c', '%2F'],
      ['__proto__', 'p'],
      ['', 'n'],
    ])
    expect(parsed.get('toString')).toBeUndefined()
  })

  it('reads raw bytes as UTF-8', () => {
    expect(new QueryString('prefix=\u00c3\u00a9+x').get('prefix')).toBe('é x')
  })

  it.each(['a=\u00ff', 'a=%', 'a=%zz', 'a=%ff', '%c3%28=1', 'a=%ed%a0%80'])('refuses %s as InvalidURI', (raw) => {
    expect(() => new QueryString(raw)).toThrow(expect.objectContaining({ code: 'InvalidURI' }))
  })

  it('remembers which parameters are given twice', () => {
    const parsed = new QueryString('a=1&a=2&b=1')
    expect([parsed.get('a'), parsed.isRepeated('a'), parsed.isRepeated('b')]).toEqual(['1', true, false])
  })
})
