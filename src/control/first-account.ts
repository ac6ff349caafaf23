/** The account of the configuration: it has a row like every other, written by home at its first start. */
import type { Account } from '../model/identities.ts'
import type { Control } from './control.ts'

/** Its root key stays in the configuration. */
type FirstAccount = Pick<Account, 'accountId' | 'canonicalId'>

const displayName = 'root'

/** Elsewhere than at home it does nothing: the row comes with the others. */
export async function beginAccounts(
  control: Pick<Control, 'standing' | 'account' | 'changeIdentities'>,
  { accountId, canonicalId }: FirstAccount,
  { self, nowMs }: { readonly self: string; readonly nowMs: number },
): Promise<void> {
  const { home, stopped } = control.standing()
  if (home !== self || stopped !== undefined || (await control.account(accountId)) !== undefined) return
  const account: Account = { accountId, canonicalId, displayName, status: 'active', createdMs: nowMs }
  await control.changeIdentities({ kind: 'createAccount', account })
}
