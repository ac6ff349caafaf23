/**
 * The fields of a form upload as what they stand for: the key, and the headers that PutObject would have.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
import { S3Error } from './errors.ts'
import type { FormFields } from './post-policy.ts'

/** What means something beside `x-amz-*`; all else is passed over, once the policy allows it. */
const systemFields: ReadonlySet<string> = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'content-type',
  'expires',
  'success_action_status',
])
/** A form has no trailers, and its one checksum needs no second name. */
const notHeaders: ReadonlySet<string> = new Set(['x-amz-trailer', 'x-amz-sdk-checksum-algorithm'])
/** XML and addresses may hold more than a header may. */
const freeText: ReadonlySet<string> = new Set(['tagging', 'success_action_redirect'])

const fileNameVariable = /\$\{filename\}/g

const ownName = /^x-(amz|farshore)-/
const headerName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: what HTTP allows in no header is what must be refused
const notHeaderText = /[\0-\x08\x0a-\x1f\x7f]/

/**
 * With `${filename}` in the key replaced by the name of the file, of which only what follows the last slash counts. Policies speak of
 * the fields that come out.
 * @throws S3Error InvalidArgument (no key)
 */
export function expandedFields(fields: FormFields, fileName: string): FormFields {
  const key = fields.get('key')
  if (key === undefined) throw missingField('key')
  const name = fileName.slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1)
  return new Map([...fields, ['key', key.replaceAll(fileNameVariable, () => name)]])
}

export function missingField(name: string): S3Error {
  return new S3Error('InvalidArgument', {
    message: `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
    details: { ArgumentName: name, ArgumentValue: '' },
  })
}

/**
 * As node gives headers: lower-case names, one character a byte. `acl` is the form's word for `x-amz-acl`.
 * @throws S3Error InvalidArgument (a name or value that no header can have, or both words for one thing)
 */
export function formHeaders(fields: FormFields): Readonly<Record<string, string>> {
  const headers: [string, string][] = []
  for (const [name, value] of fields) {
    if (freeText.has(name)) headers.push([name, value])
    if (notHeaders.has(name) || !(systemFields.has(name) || ownName.test(name))) continue
    if (notHeaderText.test(value) || !headerName.test(name)) throw unfit(name, value)
    headers.push([name, Buffer.from(value.trim()).toString('latin1')])
  }
  const acl = fields.get('acl')
  if (acl !== undefined) {
    if (fields.has('x-amz-acl')) throw unfit('acl', acl)
    headers.push(['x-amz-acl', acl])
  }
  return Object.fromEntries(headers)
}

function unfit(name: string, value: string): S3Error {
  return new S3Error('InvalidArgument', {
    message: 'A field of the form cannot be used as it is given.',
    details: { ArgumentName: name.slice(0, 128), ArgumentValue: value.slice(0, 128) },
  })
}
