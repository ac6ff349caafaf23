import { describe, expect, it } from 'vitest'
import { changed, head, presigned, refused, signed } from './aws4-requests.ts'
import { accessKeyId, caller, exampleMs, headOf, secretAccessKey, signedOf, verify } from './requests.ts'

describe('temporary credentials', () => {
  const token = 'FwoGZXIvYXdzEBYaD/token+=='
  const credential = { secretAccessKey, sessionToken: token, expiresMs: exampleMs + 1000, caller }

  it('are accepted with their token, in the header and in the query', () => {
    expect(verify(head(signed({ sessionToken: token })), { credential }).kind).toBe('signed')
    const request = signed({ presigned: true, sessionToken: token, target: '/b/k?X-Amz-Date=20130524T000000Z&X-Amz-Expires=60' })
    expect(verify(head(request), { credential }).kind).toBe('signed')
  })

  it('are InvalidToken with another token, and so is a token beside a lasting key', () => {
    expect(refused(head(signed({ sessionToken: 'other' })), { credential })).toMatchObject({ code: 'InvalidToken', status: 400 })
    expect(refused(head(signed({ sessionToken: token }))).code).toBe('InvalidToken')
  })

  it('are InvalidAccessKeyId without their token', () => {
    expect(refused(head(signed()), { credential }).code).toBe('InvalidAccessKeyId')
  })

  it('are ExpiredToken when they have ended', () => {
    const error = refused(head(signed({ sessionToken: token })), { credential, nowMs: exampleMs + 1000 })
    expect(error).toMatchObject({ code: 'ExpiredToken', status: 400 })
  })
})

describe('a presigned request', () => {
  it('is accepted until the second it expires', () => {
    expect(signedOf(verify(head(presigned()), { nowMs: exampleMs + 600_000 })).via).toBe('query')
    const error = refused(head(presigned()), { nowMs: exampleMs + 600_001 })
    expect(error).toMatchObject({ code: 'AccessDenied', status: 403, message: 'Request has expired' })
    expect(error.details).toMatchObject({ 'X-Amz-Expires': 600, Expires: '2013-05-24T00:10:00.000Z' })
  })

  it('is AccessDenied when it is from the future', () => {
    const error = refused(head(presigned()), { nowMs: exampleMs - 16 * 60 * 1000 })
    expect(error).toMatchObject({ code: 'AccessDenied', message: 'Request is not valid yet' })
  })

  it('may live for a week', () => {
    expect(verify(head(presigned('604800')), { nowMs: exampleMs + 604_800_000 }).kind).toBe('signed')
  })

  it.each(['604801', '-1', 'soon', '1e3', '1.5', '9'.repeat(20)])(
    'is AuthorizationQueryParametersError with X-Amz-Expires=%s',
    (expires) => {
      expect(refused(head(presigned(expires)))).toMatchObject({ code: 'AuthorizationQueryParametersError', status: 400 })
    },
  )

  it.each(['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature'])(
    'is AuthorizationQueryParametersError without X-Amz-%s, with an empty one, or with two',
    (name) => {
      const { request, pairs } = presigned()
      const parameter = new RegExp(`X-Amz-${name}=[^&]*`)
      const [found = ''] = parameter.exec(request) ?? []
      expect(found).not.toBe('')
      for (const text of [request.replace(parameter, ''), request.replace(parameter, `X-Amz-${name}=`), `${request}&${found}`]) {
        expect(refused(headOf(text, pairs)).code).toBe('AuthorizationQueryParametersError')
      }
    },
  )

  it('is AuthorizationQueryParametersError with a repetition hidden by escapes', () => {
    const { request, pairs } = presigned()
    expect(refused(headOf(`${request}&X%2DAmz-Expires=9`, pairs)).code).toBe('AuthorizationQueryParametersError')
  })

  it.each([
    ['a wrong algorithm', (text: string) => text.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1')],
    ['a date of another form', (text: string) => text.replace('20130524T000000Z', '2013-05-24')],
    ['a scope of another day', (text: string) => text.replace('%2F20130524%2F', '%2F20130523%2F')],
    ['a region of nobody', (text: string) => text.replace('us-east-1', 'mars-1')],
    ['bytes that are no UTF-8', (text: string) => text.replace(accessKeyId, '%ff')],
    ['upper-case signed headers', (text: string) => text.replace('SignedHeaders=host', 'SignedHeaders=Host')],
  ])('is AuthorizationQueryParametersError with %s', (_what, change) => {
    const { request, pairs } = presigned()
    expect(change(request)).not.toBe(request)
    expect(refused(headOf(change(request), pairs)).code).toBe('AuthorizationQueryParametersError')
  })

  it('is SignatureDoesNotMatch when a parameter was added, changed or taken away', () => {
    const { request, pairs } = presigned('600', '&response-content-type=text%2Fplain')
    expect(verify(headOf(request, pairs)).kind).toBe('signed')
    for (const text of [
      `${request}&versionId=x`,
      request.replace('plain', 'html'),
      request.replace('response-content-type=text%2Fplain', ''),
      request.replace('Expires=600', 'Expires=601'),
    ]) {
      expect(text).not.toBe(request)
      expect(refused(headOf(text, pairs)).code).toBe('SignatureDoesNotMatch')
    }
  })

  it('is AccessDenied with an x-amz-* header that was not signed, and 403 without one that was', () => {
    const { request, pairs } = presigned()
    const error = refused(headOf(request, [...pairs, ['x-amz-acl', 'public-read']]))
    expect(error).toMatchObject({ code: 'AccessDenied', details: { HeadersNotSigned: 'x-amz-acl' } })
    const withAcl = signed({
      presigned: true,
      target: '/b/k?X-Amz-Date=20130524T000000Z&X-Amz-Expires=60',
      headers: { 'x-amz-acl': 'private' },
    })
    expect(verify(head(withAcl)).kind).toBe('signed')
    expect(refused(changed(withAcl, 'x-amz-acl', () => undefined)).status).toBe(403)
  })

  it('is InvalidArgument beside an Authorization header', () => {
    const authorization = signed().pairs.filter(([name]) => name === 'Authorization')
    const { request, pairs } = presigned()
    expect(refused(headOf(request, [...pairs, ...authorization]))).toMatchObject({ code: 'InvalidArgument', status: 400 })
    expect(refused(headOf('GET /?AWSAccessKeyId=a&Signature=b', authorization)).code).toBe('InvalidArgument')
  })

  it('is NotImplemented with SigV4A', () => {
    const { request, pairs } = presigned()
    expect(refused(headOf(request.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'), pairs)).code).toBe('NotImplemented')
  })
})
