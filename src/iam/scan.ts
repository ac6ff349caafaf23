/** Everything of one type in an account, in the order of names: for what IAM lists by another order or counts. */
import type { IdentityOf, IdentityType } from '../model/identities.ts'
import type { ActionCall, Identities } from './action.ts'
import { type Page, pageOf, pageRequest } from './paging.ts'

/** How many are looked at in one read. */
export const scanSize = 1000

export async function* scan<Type extends IdentityType>(
  identities: Identities,
  { accountId, type, after = '' }: { readonly accountId: string; readonly type: Type; readonly after?: string },
): AsyncGenerator<IdentityOf<Type>> {
  for (let from: string | undefined = after; from !== undefined; ) {
    const found: readonly IdentityOf<Type>[] = await identities.identities({ accountId, type, after: from, limit: scanSize })
    yield* found
    from = found.length < scanSize ? undefined : found.at(-1)?.name
  }
}

/** All that `wanted` takes. */
export async function scanAll<Type extends IdentityType>(
  { identities, caller: { accountId } }: ActionCall,
  type: Type,
  wanted: (identity: IdentityOf<Type>) => boolean = () => true,
): Promise<readonly IdentityOf<Type>[]> {
  const found: IdentityOf<Type>[] = []
  for await (const identity of scan(identities, { accountId, type })) if (wanted(identity)) found.push(identity)
  return found
}

/** The page that a call asks for. */
export async function pageOfType<Type extends IdentityType>(
  { identities, caller: { accountId }, parameters }: ActionCall,
  type: Type,
  wanted: (identity: IdentityOf<Type>) => boolean,
): Promise<Page<IdentityOf<Type>>> {
  const page = pageRequest(parameters)
  const found: IdentityOf<Type>[] = []
  for await (const identity of scan(identities, { accountId, type, after: page.after })) {
    if (wanted(identity)) found.push(identity)
    // The page and, if there is one, what comes after it.
    if (found.length > page.limit) break
  }
  return pageOf(found, page, ({ name }) => name)
}
