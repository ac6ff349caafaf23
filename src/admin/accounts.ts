/** Accounts of the deployment, as an operator makes, shuts and removes them. */
import { randomBytes, randomInt } from 'node:crypto'
import { z } from 'zod'
import { createKeySealing } from '../access/access-keys.ts'
import type { Control } from '../control/control.ts'
import { S3Error } from '../model/errors.ts'
import type { AccessKey, Account } from '../model/identities.ts'

export interface AccountsParts {
  readonly control: Pick<Control, 'accounts' | 'changeIdentities'>
  /** The deployment's peering secret, under which secrets of keys are sealed. */
  readonly secret: string
  /** The account of the configuration: it cannot be shut out or removed. */
  readonly firstAccountId: string
  readonly nowMs: () => number
}

/** With the root's first key, which is shown this once. */
export interface MadeAccount {
  readonly accountId: string
  readonly canonicalId: string
  readonly displayName: string
  readonly email: string | null
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface ListedAccount extends Pick<MadeAccount, 'accountId' | 'canonicalId' | 'displayName' | 'email'> {
  readonly status: Account['status']
  readonly createdAt: string
}

export interface Accounts {
  /** @throws S3Error InvalidArgument | LimitExceeded | ServiceUnavailable */
  create(input: unknown): Promise<MadeAccount>
  list(page: {
    readonly after: string
    readonly limit: number
  }): Promise<{ readonly accounts: readonly ListedAccount[]; readonly next?: string }>
  /** @throws S3Error NoSuchEntity | InvalidRequest (the first account) | ServiceUnavailable */
  setStatus(accountId: string, status: Account['status']): Promise<void>
  /** @throws S3Error NoSuchEntity | DeleteConflict | InvalidRequest (the first account) | ServiceUnavailable */
  delete(accountId: string): Promise<void>
}

const inputSchema = z.strictObject({
  displayName: z.string().regex(/^[^\p{C}]{1,128}$/u, 'has 1 to 128 printable characters'),
  email: z
    .string()
    .regex(/^[^\s@\p{C}]{1,64}@[^\s@\p{C}]{1,255}$/u, 'is no address')
    .optional(),
})

export function createAccounts({ control, secret, firstAccountId, nowMs }: AccountsParts): Accounts {
  const sealing = createKeySealing({ secret })
  const checkNotFirst = (accountId: string): void => {
    if (accountId !== firstAccountId) return
    throw new S3Error('InvalidRequest', { message: `Account ${accountId} is that of the configuration, and stays.` })
  }
  return {
    async create(input) {
      const { displayName, email } = parsed(input)
      const { sealedSecret, ...rootKey } = sealing.make()
      const account: Account = {
        accountId: String(randomInt(10 ** 11, 10 ** 12)),
        canonicalId: randomBytes(32).toString('hex'),
        displayName,
        ...(email !== undefined && { email }),
        status: 'active',
        createdMs: nowMs(),
      }
      const { accountId, canonicalId, createdMs } = account
      const key: AccessKey = { accessKeyId: rootKey.accessKeyId, accountId, status: 'Active', createdMs, sealedSecret }
      await control.changeIdentities({ kind: 'createAccount', account, rootKey: key })
      return { accountId, canonicalId, displayName, email: email ?? null, ...rootKey }
    },
    async list({ after, limit }) {
      const found = await control.accounts({ after, limit: limit + 1 })
      const accounts = found.slice(0, limit).map(toListed)
      const last = accounts.at(-1)
      return { accounts, ...(found.length > limit && last !== undefined && { next: last.accountId }) }
    },
    async setStatus(accountId, status) {
      checkNotFirst(accountId)
      await control.changeIdentities({ kind: 'changeAccount', accountId: checkedId(accountId), set: { status } })
    },
    async delete(accountId) {
      checkNotFirst(accountId)
      await control.changeIdentities({ kind: 'deleteAccount', accountId: checkedId(accountId) })
    },
  }
}

function parsed(input: unknown): z.output<typeof inputSchema> {
  const result = inputSchema.safeParse(input)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new S3Error('InvalidArgument', { message: `${issue?.path.join('.') || 'The account'} ${issue?.message ?? 'is not understood'}.` })
}

function checkedId(accountId: string): string {
  if (/^[0-9]{12}$/.test(accountId)) return accountId
  throw new S3Error('InvalidArgument', { message: 'An account id has twelve digits.' })
}

function toListed({ accountId, canonicalId, displayName, email, status, createdMs }: Account): ListedAccount {
  return { accountId, canonicalId, displayName, email: email ?? null, status, createdAt: new Date(createdMs).toISOString() }
}
