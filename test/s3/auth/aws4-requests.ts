/** Requests signed with aws4, at the time of the examples, and what happens to them on the way. */
import aws4 from 'aws4'
import type { RequestHead } from '../../../src/s3/auth/head.ts'
import type { VerifyOptions } from '../../../src/s3/auth/verify.ts'
import { accessKeyId, headOf, type Pairs, refusal, secretAccessKey, verify } from './requests.ts'

interface Unsigned {
  method?: string
  target?: string
  service?: string
  region?: string
  headers?: Record<string, string>
  body?: string
  presigned?: boolean
  sessionToken?: string
  accessKeyId?: string
  secretAccessKey?: string
}

export function signed(request: Unsigned = {}): { request: string; pairs: Pairs } {
  const { method = 'GET', target = '/bucket/key', service = 's3', region = 'us-east-1', presigned = false } = request
  const out = aws4.sign(
    {
      method,
      path: target,
      service,
      region,
      signQuery: presigned,
      ...(request.body !== undefined && { body: request.body }),
      headers: { Host: '127.0.0.1:9000', ...(!presigned && { 'X-Amz-Date': '20130524T000000Z' }), ...request.headers },
    },
    {
      accessKeyId: request.accessKeyId ?? accessKeyId,
      secretAccessKey: request.secretAccessKey ?? secretAccessKey,
      ...(request.sessionToken !== undefined && { sessionToken: request.sessionToken }),
    },
  )
  return {
    request: `${method} ${out.path}`,
    pairs: Object.entries(out.headers ?? {}).map(([name, value]) => [name, String(value)] as const),
  }
}

export function presigned(expires = '600', extra = ''): { request: string; pairs: Pairs } {
  return signed({ presigned: true, target: `/bucket/key?X-Amz-Date=20130524T000000Z&X-Amz-Expires=${expires}${extra}` })
}

export function head({ request, pairs }: { request: string; pairs: Pairs }): RequestHead {
  return headOf(request, pairs)
}

export function changed(from: { request: string; pairs: Pairs }, name: string, to: (value: string) => string | undefined): RequestHead {
  const pairs = from.pairs.flatMap(([header, value]) => {
    const after = header.toLowerCase() === name ? to(value) : value
    return after === undefined ? [] : [[header, after] as const]
  })
  return headOf(from.request, pairs)
}

export const refused = (request: RequestHead, options?: Partial<VerifyOptions>) => refusal(() => verify(request, options))
