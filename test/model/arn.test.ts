import { describe, expect, it } from 'vitest'
import { bucketArn, checkBucketArn, formatRoleArn, objectArn, parseBucketArn, parseRoleArn } from '../../src/model/arn.ts'

describe('bucket ARNs', () => {
  it('are made from a name, and an object ARN from its key as it is', () => {
    expect(bucketArn('photos')).toBe('arn:aws:s3:::photos')
    expect(objectArn({ bucket: 'photos', key: 'a b/ü:*' })).toBe('arn:aws:s3:::photos/a b/ü:*')
  })

  it('give back the name', () => {
    expect(parseBucketArn('arn:aws:s3:::my.bucket-1')).toBe('my.bucket-1')
    expect(checkBucketArn('arn:aws:s3:::my.bucket-1')).toBe('my.bucket-1')
  })

  it.each([
    'photos',
    '',
    'arn:aws:s3:::',
    'arn:aws:s3:::ab',
    `arn:aws:s3:::${'a'.repeat(64)}`,
    'arn:aws:s3:::Photos',
    'arn:aws:s3:::photos/',
    'arn:aws:s3:::photos/key',
    'arn:aws:s3:us-east-1::photos',
    'arn:aws:s3::123456789012:photos',
    'arn:aws:iam:::photos',
    'arn:aws:s3:::photos\n',
  ])('refuses %j with InvalidArgument "Invalid bucket ARN."', (text) => {
    expect(() => checkBucketArn(text)).toThrow(
      expect.objectContaining({
        code: 'InvalidArgument',
        message: 'Invalid bucket ARN.',
        details: { ArgumentName: 'Bucket', ArgumentValue: text },
      }),
    )
  })
})

describe('role ARNs', () => {
  it.each([
    ['arn:aws:iam::123456789012:role/replication', '/', 'replication'],
    ['arn:aws:iam::123456789012:role/service-role/s3/replication', '/service-role/s3/', 'replication'],
    ['arn:aws:iam::123456789012:role/a+b=c,d.e@f-g_h', '/', 'a+b=c,d.e@f-g_h'],
  ])('reads %s and writes it again', (arn, path, name) => {
    const parsed = parseRoleArn(arn)
    expect(parsed).toEqual({ accountId: '123456789012', path, name })
    expect(parsed && formatRoleArn(parsed)).toBe(arn)
  })

  it.each([
    'replication',
    'arn:aws:iam::123456789012:user/replication',
    'arn:aws:iam::12345:role/replication',
    'arn:aws:iam::123456789012:role/',
    'arn:aws:iam::123456789012:rolereplication',
    'arn:aws:iam::123456789012:role/path/',
    `arn:aws:iam::123456789012:role/${'n'.repeat(65)}`,
    'arn:aws:iam::123456789012:role/with space',
  ])('does not take %j for one', (text) => {
    expect(parseRoleArn(text)).toBeUndefined()
  })
})
