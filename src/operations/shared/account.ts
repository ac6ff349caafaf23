/** The account that a caller acts for. */
import type { Caller } from '../../access/caller.ts'
import { S3Error } from '../../model/errors.ts'

type Account = Extract<Caller, { readonly kind: 'root' }>

/** @throws S3Error AccessDenied for a caller without an account: nobody, or another region */
export function accountOf(caller: Caller): Account {
  if (caller.kind !== 'root') throw new S3Error('AccessDenied')
  return caller
}
