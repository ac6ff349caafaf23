/** Forms as browsers send them, with policies signed by hand. */
import { createHmac } from 'node:crypto'
import { accessKeyId, secretAccessKey } from './region.ts'

/** A field, or a file with its name. */
export type Part = readonly [name: string, value: string] | readonly [name: string, content: Buffer, fileName: string]

export interface FormOptions {
  readonly key?: string
  readonly content?: Buffer
  /** What the policy allows, besides key and bucket, by exact conditions. */
  readonly fields?: Readonly<Record<string, string>>
  /** Sent, and not in the policy. */
  readonly unlisted?: Readonly<Record<string, string>>
  readonly conditions?: readonly unknown[]
  readonly policyBucket?: string | undefined
  readonly expiration?: string
  readonly policyText?: string
  readonly accessKeyId?: string
  readonly region?: string
  readonly service?: string
  /** Changed after it was signed. */
  readonly alter?: Readonly<Record<string, string>>
  readonly without?: readonly string[]
}

export function form(bucket: string, options: FormOptions = {}): readonly Part[] {
  const { content = Buffer.from('hello'), alter = {}, without = [], unlisted = {} } = options
  const policyBucket = 'policyBucket' in options ? options.policyBucket : bucket
  const fields = policyFields({ ...options, bucket: policyBucket }).map(([name, value]): Part => [name, alter[name] ?? value])
  return [...fields.filter(([name]) => !without.includes(name)), ...Object.entries(unlisted), ['file', content, 'dir/name.txt']]
}

function policyFields(options: FormOptions & { readonly bucket: string | undefined }): readonly (readonly [string, string])[] {
  const { key = 'k', fields = {}, conditions = [], bucket, service = 's3', region = 'us-east-1' } = options
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`
  const listed = {
    key,
    ...fields,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${options.accessKeyId ?? accessKeyId}/${scope}`,
    'x-amz-date': timestamp,
  }
  const exact = Object.entries({ ...listed, ...(bucket !== undefined && { bucket }) }).map(([name, value]) => ({ [name]: value }))
  const expiration = options.expiration ?? new Date(Date.now() + 60_000).toISOString()
  const text = options.policyText ?? JSON.stringify({ expiration, conditions: [...exact, ...conditions] })
  const policy = Buffer.from(text).toString('base64')
  const signingKey = scope.split('/').reduce<Buffer>((last, part) => hmac(last, part), Buffer.from(`AWS4${secretAccessKey}`))
  return [...Object.entries(listed), ['policy', policy], ['x-amz-signature', hmac(signingKey, policy).toString('hex')]]
}

export function multipart(parts: readonly Part[], boundary = 'AaB03x'): { readonly body: Buffer; readonly contentType: string } {
  const pieces = parts.map(([name, value, fileName]) => {
    const file = fileName === undefined ? '' : `; filename="${fileName}"\r\nContent-Type: text/plain`
    return Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ])
  })
  return { body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]), contentType: `multipart/form-data; boundary=${boundary}` }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
