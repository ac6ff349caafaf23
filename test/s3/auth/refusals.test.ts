import { describe, expect, it } from 'vitest'
import type { VerifyOptions } from '../../../src/s3/auth/verify.ts'
import { changed, head, refused, signed } from './aws4-requests.ts'
import { accessKeyId, emptySha256, exampleMs, headOf, refusal, secretAccessKey, sha256, signedOf, verify } from './requests.ts'

describe('a signed request', () => {
  it('is accepted, in this region and in the other', () => {
    expect(signedOf(verify(head(signed()))).payload).toEqual({ mode: 'sha256', hex: emptySha256 })
    expect(signedOf(verify(head(signed({ region: 'eu-west-1' })))).scope.region).toBe('eu-west-1')
  })

  it('is InvalidAccessKeyId with a key that nobody has', () => {
    const error = refused(head(signed({ accessKeyId: 'AKIANOBODY' })))
    expect(error).toMatchObject({ code: 'InvalidAccessKeyId', status: 403, details: { AWSAccessKeyId: 'AKIANOBODY' } })
  })

  it('is SignatureDoesNotMatch with another secret, and says what was signed here', () => {
    const error = refused(head(signed({ secretAccessKey: 'another' })))
    expect(error).toMatchObject({ code: 'SignatureDoesNotMatch', status: 403 })
    const { details } = error
    expect(details.AWSAccessKeyId).toBe(accessKeyId)
    expect(details.SignatureProvided).toMatch(/^[0-9a-f]{64}$/)
    expect(details.CanonicalRequest).toMatch(/^GET\n\/bucket\/key\n\nhost:127\.0\.0\.1:9000\n/)
    expect(details.StringToSign).toBe(
      `AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n${sha256(String(details.CanonicalRequest))}`,
    )
    const bytes = (text: unknown) => [...Buffer.from(String(text))].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    expect(details.StringToSignBytes).toBe(bytes(details.StringToSign))
    expect(details.CanonicalRequestBytes).toBe(bytes(details.CanonicalRequest))
    expect(JSON.stringify(details)).not.toContain(secretAccessKey)
  })

  it.each(['', 'abc', '0'.repeat(63), '0'.repeat(64), `${'0'.repeat(64)}0`, 'é'.repeat(32)])(
    'is SignatureDoesNotMatch with the signature "%s"',
    (signature) => {
      const request = changed(signed(), 'authorization', (value) => value.replace(/Signature=.*/, `Signature=${signature}`))
      expect(refused(request).code).toBe('SignatureDoesNotMatch')
    },
  )

  it.each([
    ['the path', (text: string) => text.replace('key', 'kez')],
    ['the query', (text: string) => `${text}?acl`],
    ['the method', (text: string) => text.replace('GET', 'PUT')],
  ])('is SignatureDoesNotMatch when %s was changed', (_what, change) => {
    const { request, pairs } = signed()
    expect(refused(headOf(change(request), pairs)).code).toBe('SignatureDoesNotMatch')
  })

  it('is SignatureDoesNotMatch when a signed header is missing, also when its value was empty', () => {
    const request = signed({ headers: { 'x-amz-meta-a': '', 'content-type': 'text/plain' } })
    signedOf(verify(head(request)))
    expect(refused(changed(request, 'x-amz-meta-a', () => undefined)).code).toBe('SignatureDoesNotMatch')
    expect(refused(changed(request, 'content-type', () => undefined)).code).toBe('SignatureDoesNotMatch')
  })

  it('is SignatureDoesNotMatch when a signed header came twice', () => {
    const { request, pairs } = signed({ headers: { 'x-amz-meta-a': '1' } })
    expect(refused(headOf(request, [...pairs, ['X-Amz-Meta-A', '2']])).code).toBe('SignatureDoesNotMatch')
  })

  it('is AccessDenied, naming them, when x-amz-* headers or the host are not signed', () => {
    const { request, pairs } = signed()
    const error = refused(headOf(request, [...pairs, ['X-Amz-Acl', 'public-read'], ['x-amz-meta-b', '1'], ['x-amz-acl', 'private']]))
    expect(error).toMatchObject({ code: 'AccessDenied', status: 403, details: { HeadersNotSigned: 'x-amz-acl, x-amz-meta-b' } })
    expect(error.message).toBe('There were headers present in the request which were not signed')
    const hostless = changed(signed(), 'authorization', (value) => value.replace('host;', ''))
    expect(refused(hostless).details.HeadersNotSigned).toBe('host')
  })

  it.each([-1, 1])('is RequestTimeTooSkewed from 15 minutes on (%i)', (sign) => {
    const minutes15 = 15 * 60 * 1000
    signedOf(verify(head(signed()), { nowMs: exampleMs + sign * minutes15 }))
    const error = refused(head(signed()), { nowMs: exampleMs + sign * (minutes15 + 1) })
    expect(error).toMatchObject({ code: 'RequestTimeTooSkewed', status: 403, details: { MaxAllowedSkewMilliseconds: minutes15 } })
  })

  it.each([
    '',
    'yesterday',
    '20130524T250000Z',
    '20130230T000000Z',
    '20131301T000000Z',
    '20130001T000000Z',
    '20130524T240000Z',
    '20130524T006000Z',
    '20130524T000060Z',
    '2013-05-24T00:00:00Z',
    '20130524T000000Z, 20130524T000000Z',
  ])('is AccessDenied with the time "%s"', (time) => {
    const error = refused(changed(signed(), 'x-amz-date', () => time))
    expect(error).toMatchObject({ code: 'AccessDenied', message: 'AWS authentication requires a valid Date or x-amz-date header' })
  })

  it('may tell its time in the Date header', () => {
    const { request, pairs } = signed({ headers: { Date: 'Fri, 24 May 2013 00:00:00 GMT' } })
    const parts = pairs.filter(([name]) => name !== 'X-Amz-Date' && name !== 'Authorization')
    // Signed by hand of the same canonical form: a mismatch proves that the time was taken from Date.
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20130524/us-east-1/s3/aws4_request,SignedHeaders=date;host;x-amz-content-sha256,Signature=0`
    const error = refused(headOf(request, [...parts, ['Authorization', authorization]]))
    expect(error.details.StringToSign).toMatch(/^AWS4-HMAC-SHA256\n20130524T000000Z\n/)
  })

  it('is AuthorizationHeaderMalformed with <Region> for a region of nobody', () => {
    const error = refused(head(signed({ region: 'mars-1' })))
    expect(error).toMatchObject({ code: 'AuthorizationHeaderMalformed', status: 400, details: { Region: 'us-east-1' } })
    expect(error.message).toContain("the region 'mars-1' is wrong; expecting 'us-east-1'")
  })

  it('is AuthorizationHeaderMalformed for a service that is not served', () => {
    expect(refused(head(signed({ service: 'ec2' }))).code).toBe('AuthorizationHeaderMalformed')
  })

  it.each([
    ['no Credential', (value: string) => value.replace(/Credential=[^,]*, /, '')],
    ['no SignedHeaders', (value: string) => value.replace(/SignedHeaders=[^,]*, /, '')],
    ['no Signature', (value: string) => value.replace(/, Signature=.*/, '')],
    ['two Signatures', (value: string) => `${value}, Signature=0`],
    ['an unknown component', (value: string) => `${value}, Colour=red`],
    ['nothing at all', () => 'AWS4-HMAC-SHA256'],
    ['a short scope', (value: string) => value.replace('/aws4_request', '')],
    ['a wrong terminal', (value: string) => value.replace('aws4_request', 'aws5_request')],
    ['no access key', (value: string) => value.replace(accessKeyId, '')],
    ['a scope of another day', (value: string) => value.replace('20130524', '20130523')],
    ['a scope of no day', (value: string) => value.replace('20130524', 'someday')],
    ['an upper-case signed header', (value: string) => value.replace('host', 'Host')],
    ['a signed header twice', (value: string) => value.replace('host', 'host;host')],
    ['an empty signed header', (value: string) => value.replace('host', 'host;')],
  ])('is AuthorizationHeaderMalformed with %s', (_what, change) => {
    expect(refused(changed(signed(), 'authorization', change))).toMatchObject({ code: 'AuthorizationHeaderMalformed', status: 400 })
  })

  it('accepts an Authorization header in another order and without spaces', () => {
    const request = changed(signed(), 'authorization', (value) => {
      const [credential, headers, signature] = value.replace('AWS4-HMAC-SHA256 ', '').split(', ')
      return `AWS4-HMAC-SHA256 ${signature},${credential},${headers}`
    })
    expect(verify(request).kind).toBe('signed')
  })

  it('is 400 with two Authorization headers', () => {
    const { request, pairs } = signed()
    const authorization = pairs.find(([name]) => name === 'Authorization')?.[1] ?? ''
    const error = refused(headOf(request, [...pairs, ['authorization', authorization]]))
    expect(error).toMatchObject({ code: 'InvalidArgument', status: 400 })
  })

  it('is InvalidRequest with SigV2, in the header and in the query', () => {
    const message = 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.'
    const inHeader = headOf('GET /bucket', [['Authorization', `AWS ${accessKeyId}:frJIUN8DYpKDtOLCwo//yllqDzg=`]])
    expect(refused(inHeader)).toMatchObject({ code: 'InvalidRequest', status: 400, message })
    const inQuery = headOf(`GET /bucket?AWSAccessKeyId=${accessKeyId}&Expires=1175139620&Signature=vjby`, [])
    expect(refused(inQuery)).toMatchObject({ code: 'InvalidRequest', message })
  })

  it('is InvalidArgument with another scheme, whose secret is not repeated', () => {
    const error = refused(headOf('GET /', [['Authorization', 'Bearer hunter2']]))
    expect(error).toMatchObject({ code: 'InvalidArgument', details: { ArgumentName: 'Authorization', ArgumentValue: 'Bearer' } })
  })

  it('is NotImplemented with SigV4A', () => {
    const authorization = 'AWS4-ECDSA-P256-SHA256 Credential=a/20130524/s3/aws4_request, SignedHeaders=host, Signature=0'
    expect(refused(headOf('GET /', [['Authorization', authorization]])).code).toBe('NotImplemented')
  })

  it('is InvalidRequest without x-amz-content-sha256', () => {
    const error = refused(changed(signed(), 'x-amz-content-sha256', () => undefined))
    expect(error).toMatchObject({
      code: 'InvalidRequest',
      message: 'Missing required header for this request: x-amz-content-sha256',
    })
  })

  it.each(['', 'abc', 'UNSIGNED', `${emptySha256}, ${emptySha256}`, 'g'.repeat(64)])(
    'is InvalidArgument with x-amz-content-sha256 "%s"',
    (value) => {
      const error = refused(changed(signed(), 'x-amz-content-sha256', () => value))
      expect(error).toMatchObject({ code: 'InvalidArgument', details: { ArgumentName: 'x-amz-content-sha256' } })
    },
  )

  it.each([
    ['UNSIGNED-PAYLOAD', { mode: 'unsigned' }],
    ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { mode: 'chunked-unsigned-trailer' }],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { mode: 'chunked-signed', trailer: false }],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { mode: 'chunked-signed', trailer: true }],
  ])('reads %s', (value, payload) => {
    const request = signed({ headers: { 'X-Amz-Content-Sha256': value } })
    expect(signedOf(verify(head(request))).payload).toEqual(payload)
  })

  it('is NotImplemented with chunks signed by SigV4A', () => {
    const request = signed({ headers: { 'X-Amz-Content-Sha256': 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' } })
    expect(refused(head(request)).code).toBe('NotImplemented')
  })
})

describe('a request to IAM or STS', () => {
  const body = 'Action=GetCallerIdentity&Version=2011-06-15'
  const request = { method: 'POST', target: '/', service: 'sts', body }

  it('is proven by its body when no header says the hash', () => {
    const verified = verify(head(signed(request)))
    if (verified.kind !== 'awaiting-body') throw new Error(verified.kind)
    expect(verified.complete(sha256(body))).toMatchObject({ kind: 'signed', payload: { mode: 'sha256', hex: sha256(body) } })
    expect(refusal(() => verified.complete(sha256(`${body}&RoleArn=x`))).code).toBe('SignatureDoesNotMatch')
  })

  it('is signed for us-east-1 wherever this is, and S3 is not', () => {
    const options: Partial<VerifyOptions> = { regions: ['eu-west-1'] }
    expect(verify(head(signed(request)), options).kind).toBe('awaiting-body')
    expect(refused(head(signed()), options).details.Region).toBe('eu-west-1')
  })

  it.each(['/', '/a/b/', '/a//b', '/a/./b/../c', '/a%20b/%2Fc', '/admin/v1/buckets/é', "/x!'()*"])(
    'has its path %s normalised and encoded twice',
    (target) => {
      const verified = verify(head(signed({ ...request, target: target.replace('é', '%C3%A9') })))
      if (verified.kind !== 'awaiting-body') throw new Error(verified.kind)
      expect(verified.complete(sha256(body)).kind).toBe('signed')
    },
  )
})

describe('a request without credentials', () => {
  it('is anonymous, and so may be a body with an unsigned trailer', () => {
    expect(verify(headOf('GET /bucket/key?versionId=1', []))).toMatchObject({ kind: 'anonymous', payload: { mode: 'unsigned' } })
    const trailer = headOf('PUT /bucket/key', [['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER']])
    expect(verify(trailer)).toMatchObject({ kind: 'anonymous', payload: { mode: 'chunked-unsigned-trailer' } })
    const hashed = headOf('PUT /bucket/key', [['x-amz-content-sha256', emptySha256]])
    expect(verify(hashed)).toMatchObject({ kind: 'anonymous', payload: { mode: 'sha256', hex: emptySha256 } })
  })

  it('cannot have signed chunks', () => {
    const request = headOf('PUT /b/k', [['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD']])
    expect(refused(request)).toMatchObject({ code: 'InvalidRequest', status: 400 })
  })
})
