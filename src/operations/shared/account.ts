/** The account that a caller acts for. */
import { type Caller, isPrincipal, type Principal } from '../../access/caller.ts'
import { S3Error } from '../../model/errors.ts'

/** @throws S3Error AccessDenied for a caller without an account: nobody, or another region */
export function accountOf(caller: Caller): Principal {
  if (!isPrincipal(caller)) throw new S3Error('AccessDenied')
  return caller
}
