import { describe, expect, it } from 'vitest'
import { parseCopySource } from '../../src/model/copy-source.ts'
import { checkBucketEncryption, parseEncryptionHeaders } from '../../src/model/encryption.ts'
import { multipartEtag, quoteEtag, unquoteEtag } from '../../src/model/etag.ts'
import { refuseUnsupported } from '../../src/model/headers.ts'
import { needsRestore, parseStorageClass, storageClasses } from '../../src/model/storage-class.ts'
import { parseSystemMetadata, parseUserMetadata, systemMetadataHeaders, userMetadataHeaders } from '../../src/model/user-metadata.ts'
import { refused, verdict } from './refused.ts'

describe('storage classes', () => {
  it('stores under STANDARD when none is asked for', () => expect(parseStorageClass(undefined)).toBe('STANDARD'))

  it.each(['STANDARD', 'REDUCED_REDUNDANCY', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'])(
    'stores under %s',
    (name) => expect(parseStorageClass(name)).toBe(name),
  )

  it.each(['OUTPOSTS', 'SNOW', 'EXPRESS_ONEZONE', 'FSX_OPENZFS', 'FSX_ONTAP'])('answers 501 by name for %s', (name) => {
    const error = refused(() => parseStorageClass(name))
    expect(error.status).toBe(501)
    expect(error.message).toContain(name)
  })

  it.each(['', 'standard', 'COLD', '__proto__'])('refuses %j with InvalidStorageClass', (name) =>
    expect(verdict(() => parseStorageClass(name))).toBe('InvalidStorageClass'),
  )

  it('needs a restore for the two archive classes alone', () =>
    expect(storageClasses.filter(needsRestore)).toEqual(['GLACIER', 'DEEP_ARCHIVE']))
})

describe('user metadata', () => {
  it('comes back byte for byte, whatever its encoding', () => {
    const headers = {
      'x-amz-meta-utf8': Buffer.from('naïve 東京').toString('latin1'),
      'x-amz-meta-word': '=?UTF-8?B?bmHDr3Zl?=',
      'x-amz-meta-empty': '',
      'x-amz-meta-spaced': 'a  b\tc',
    }
    const metadata = parseUserMetadata({ ...headers, host: 'x' })
    expect(userMetadataHeaders(JSON.parse(JSON.stringify(metadata)))).toEqual(headers)
  })

  it('keeps names like __proto__ and constructor', () => {
    const headers = Object.fromEntries([
      ['x-amz-meta-__proto__', '1'],
      ['x-amz-meta-constructor', '2'],
    ])
    const metadata = parseUserMetadata(headers)
    expect(metadata).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ])
    expect(Object.keys(userMetadataHeaders(metadata))).toEqual(['x-amz-meta-__proto__', 'x-amz-meta-constructor'])
  })

  it('counts 2 KiB of names and values in bytes, without the prefix', () => {
    expect(verdict(() => parseUserMetadata({ 'x-amz-meta-ab': 'v'.repeat(2046) }))).toBeUndefined()
    expect(verdict(() => parseUserMetadata({ 'x-amz-meta-ab': 'v'.repeat(2047) }))).toBe('MetadataTooLarge')
    const utf8 = Buffer.from('é'.repeat(1024)).toString('latin1')
    expect(verdict(() => parseUserMetadata({ 'x-amz-meta-ab': utf8 }))).toBe('MetadataTooLarge')
    expect(verdict(() => parseUserMetadata({ 'x-amz-meta-a': 'v'.repeat(1023), 'x-amz-meta-b': 'v'.repeat(1024) }))).toBe(
      'MetadataTooLarge',
    )
  })
})

describe('system metadata', () => {
  it('gives what was stored without a Content-Type AWS’s default', () => {
    expect(parseSystemMetadata({})).toEqual({ contentType: 'binary/octet-stream' })
    expect(parseSystemMetadata({ 'content-type': '' })).toEqual({ contentType: 'binary/octet-stream' })
  })

  it('comes back as it was sent', () => {
    const headers = {
      'content-type': 'image/png',
      'cache-control': 'no-store',
      'content-disposition': 'attachment',
      'content-encoding': 'gzip, br',
      'content-language': 'de',
      expires: 'never',
      'x-amz-website-redirect-location': '/other',
    }
    expect(systemMetadataHeaders(parseSystemMetadata(headers))).toEqual(headers)
  })

  it.each([
    ['aws-chunked', undefined],
    ['aws-chunked,gzip', 'gzip'],
    ['gzip, aws-chunked, br', 'gzip,br'],
    ['AWS-Chunked', undefined],
    ['gzip', 'gzip'],
  ])('drops aws-chunked from the Content-Encoding %s', (sent, stored) =>
    expect(parseSystemMetadata({ 'content-encoding': sent }).contentEncoding).toBe(stored),
  )

  it('refuses a redirect that is neither a path nor http', () => {
    expect(verdict(() => parseSystemMetadata({ 'x-amz-website-redirect-location': 'javascript:1' }))).toBe('InvalidRedirectLocation')
    expect(verdict(() => parseSystemMetadata({ 'x-amz-website-redirect-location': 'https://a' }))).toBeUndefined()
  })
})

describe('encryption headers', () => {
  it('takes AES256, and leaves it to the bucket when nothing is asked', () => {
    expect(parseEncryptionHeaders({ 'x-amz-server-side-encryption': 'AES256' })).toBe('AES256')
    expect(parseEncryptionHeaders({})).toBeUndefined()
  })

  it.each([
    ['x-amz-server-side-encryption', 'aws:kms'],
    ['x-amz-server-side-encryption', 'aws:kms:dsse'],
    ['x-amz-server-side-encryption-aws-kms-key-id', 'k'],
    ['x-amz-server-side-encryption-customer-algorithm', 'AES256'],
    ['x-amz-server-side-encryption-customer-key-md5', 'x'],
    ['x-amz-copy-source-server-side-encryption-customer-key', 'x'],
    ['x-amz-server-side-encryption-bucket-key-enabled', 'true'],
  ])('answers 501 for %s: %s, naming it', (name, value) => {
    const error = refused(() => parseEncryptionHeaders({ [name]: value }))
    expect(error.status).toBe(501)
    expect(error.details.Header).toBe(name)
  })

  it('refuses an unknown method', () => {
    expect(verdict(() => parseEncryptionHeaders({ 'x-amz-server-side-encryption': 'rot13' }))).toBe('InvalidArgument')
  })
})

describe('bucket encryption', () => {
  const aes = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }

  it('keeps the algorithm and the bucket key setting', () => {
    expect(checkBucketEncryption([aes])).toEqual({ SSEAlgorithm: 'AES256' })
    expect(checkBucketEncryption([{ ...aes, BucketKeyEnabled: true }])).toEqual({ SSEAlgorithm: 'AES256', BucketKeyEnabled: true })
  })

  it.each([
    [[], 'MalformedXML'],
    [[aes, aes], 'MalformedXML'],
    [[{}], 'MalformedXML'],
    [[{ ApplyServerSideEncryptionByDefault: {} }], 'MalformedXML'],
    [[{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'rot13' } }], 'MalformedXML'],
    [[{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }], 'NotImplemented'],
    [[{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256', KMSMasterKeyID: 'k' } }], 'InvalidArgument'],
    [[{ ...aes, BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] } }], 'NotImplemented'],
  ])('refuses %j with %s', (rules, code) => expect(verdict(() => checkBucketEncryption(rules))).toBe(code))
})

describe('refuseUnsupported', () => {
  it.each(['x-amz-write-offset-bytes', 'x-amz-if-match-size', 'x-amz-if-match-last-modified-time', 'x-amz-rename-source'])(
    'answers 501 for %s, naming it',
    (name) => {
      const error = refused(() => refuseUnsupported({ host: 'x', [name]: '1' }))
      expect(error.code).toBe('NotImplemented')
      expect(error.message).toContain(name)
    },
  )

  it('lets pass what changes nothing', () => {
    const headers = {
      'x-amz-request-payer': 'requester',
      'x-amz-bypass-governance-retention': 'true',
      'x-amz-meta-x-amz-write-offset-bytes': 'x',
      'x-amz-write-offset-bytes': undefined,
    }
    expect(verdict(() => refuseUnsupported(headers))).toBeUndefined()
    expect(verdict(() => refuseUnsupported({ 'x-amz-server-side-encryption-bucket-key-enabled': 'true' }))).toBe('NotImplemented')
  })
})

describe('x-amz-copy-source', () => {
  it.each([
    ['bucket/key', { bucket: 'bucket', key: 'key' }],
    ['/bucket/a/b', { bucket: 'bucket', key: 'a/b' }],
    ['/bucket//a', { bucket: 'bucket', key: '/a' }],
    ['bucket/a/', { bucket: 'bucket', key: 'a/' }],
    ['bucket%2Fkey', { bucket: 'bucket', key: 'key' }],
    ['bucket/a%2Bb+c%20d', { bucket: 'bucket', key: 'a+b+c d' }],
    ['bucket/a%252B', { bucket: 'bucket', key: 'a%2B' }],
    ['bucket/key?versionId=v1', { bucket: 'bucket', key: 'key', versionId: 'v1' }],
    ['bucket/a%3FversionId=x', { bucket: 'bucket', key: 'a?versionId=x' }],
    ['bucket/a%3FversionId=x?versionId=v', { bucket: 'bucket', key: 'a?versionId=x', versionId: 'v' }],
    ['bucket/a?versionId=x?versionId=v', { bucket: 'bucket', key: 'a?versionId=x', versionId: 'v' }],
    ['bucket/a?b', { bucket: 'bucket', key: 'a?b' }],
  ])('reads %s', (header, source) => expect(parseCopySource(header)).toEqual(source))

  it.each([
    ['', 'InvalidArgument'],
    ['bucket', 'InvalidArgument'],
    ['bucket/', 'InvalidArgument'],
    ['/', 'InvalidArgument'],
    ['Bad_Bucket/key', 'InvalidArgument'],
    ['bucket/%zz', 'InvalidArgument'],
    ['bucket/key?versionId=', 'InvalidArgument'],
    ['bucket/a%00', 'InvalidArgument'],
    [`bucket/${'a'.repeat(1025)}`, 'KeyTooLongError'],
    ['bucket/../x', 'InvalidURI'],
    ['arn:aws:s3:us-east-1:1:accesspoint/x/object/y', 'NotImplemented'],
  ])('refuses %s with %s', (header, code) => expect(verdict(() => parseCopySource(header))).toBe(code))
})

describe('etags', () => {
  it('makes the ETag of an upload from its parts, as md5sum does', () => {
    // printf a | md5sum; printf b | md5sum; then the md5 of the two digests.
    const parts = ['0cc175b9c0f1b6a831c399e269772661', '92eb5ffee6ae2fec3ad71c777531578f']
    expect(multipartEtag(parts)).toBe('96e024ba2074fe77e8e965ba43a704be-2')
  })

  it('quotes and unquotes', () => {
    expect(quoteEtag('a')).toBe('"a"')
    expect(['"a"', 'a', ' "a" ', '"'].map(unquoteEtag)).toEqual(['a', 'a', 'a', '"'])
  })
})
