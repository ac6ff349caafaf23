import { describe, expect, it } from 'vitest'
import { addressOf } from '../../src/s3/address.ts'

const domains = ['s3.test', 'eu.s3.test']
const at = (host: string | undefined, rawPath: string) => {
  const { shape, bucketName, key, internal } = addressOf({ host, rawPath }, domains)
  return [shape, bucketName, key, internal].filter((part) => part !== undefined).join(' | ')
}

describe('addressOf', () => {
  it.each([
    ['127.0.0.1:9000', '/', 'service'],
    ['127.0.0.1:9000', '/b', 'bucket | b'],
    ['127.0.0.1:9000', '/b/', 'bucket | b'],
    ['127.0.0.1:9000', '/b/k', 'object | b | k'],
    ['127.0.0.1:9000', '/b//k', 'object | b | /k'],
    ['127.0.0.1:9000', '/b/a//b/./../c/', 'object | b | a//b/./../c/'],
    ['127.0.0.1:9000', '/b/a+b%2Bc%20d%252F', 'object | b | a+b+c d%2F'],
    ['127.0.0.1:9000', '/b/%C3%A9%F0%9F%98%80', 'object | b | é😀'],
    ['127.0.0.1:9000', '/b/\u00c3\u00a9', 'object | b | é'],
    [undefined, '/b/k', 'object | b | k'],
    ['unknown.example', '/b/k', 'object | b | k'],
    ['nots3.test', '/b/k', 'object | b | k'],
    ['s3.test:9000', '/b/k', 'object | b | k'],
    ['[::1]:9000', '/b/k', 'object | b | k'],
    ['b.s3.test', '/', 'bucket | b'],
    ['b.s3.test:9000', '/k/x', 'object | b | k/x'],
    ['my.bucket.S3.Test', '/k', 'object | my.bucket | k'],
    ['b.eu.s3.test', '/k', 'object | b | k'],
    ['b.s3.test', '//k', 'object | b | /k'],
    ['127.0.0.1', '/_health/live', 'service | health/live'],
    ['127.0.0.1', '/_peer/a%2Fb', 'service | peer/a%2Fb'],
    ['b.s3.test', '/_health/live', 'object | b | _health/live'],
    ['127.0.0.1', '/_other/k', 'object | _other | k'],
  ])('reads Host %s and path %s as %s', (host, path, expected) => {
    expect(at(host, path)).toBe(expected)
  })

  it.each(['/b/%', '/b/%zz', '/b/%ff', '/b/%ed%a0%80', '/%ff/k', '*', 'http://s3.test/b/k', ''])('refuses %s as InvalidURI', (path) => {
    expect(() => at('127.0.0.1', path)).toThrow(expect.objectContaining({ code: 'InvalidURI' }))
  })
})
