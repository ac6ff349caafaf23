/** Where an object is found, for answers that say so. */
import { encodeUrlForm } from '../../model/listing-parameters.ts'
import type { OperationContext } from '../../s3/define.ts'

/** The object's address in the style in which the request came. */
export function locationOf({ bucket, host, secure }: OperationContext, key: string): string {
  const path = encodeUrlForm(key).replaceAll('+', '%20')
  const base = `${secure ? 'https' : 'http'}://${host}`
  return host.toLowerCase().startsWith(`${bucket.name}.`) ? `${base}/${path}` : `${base}/${bucket.name}/${path}`
}
