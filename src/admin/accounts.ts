/** Accounts of the deployment, as an operator makes, shuts and removes them. */
import { randomBytes, randomInt } from 'node:crypto'
import { z } from 'zod'
import { createKeySealing } from '../access/access-keys.ts'
import type { Control } from '../control/control.ts'
import { S3Error } from '../model/errors.ts'
import type { AccessKey, Account } from '../model/identities.ts'
import { accessKeysMax } from '../model/identity-limits.ts'

const pageSize = 1000

export interface AccountsParts {
  readonly control: Pick<Control, 'account' | 'accounts' | 'accessKeysOf' | 'changeIdentities'>
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

export type MadeKey = Pick<MadeAccount, 'accountId' | 'accessKeyId' | 'secretAccessKey'>

export interface ListedAccount extends Pick<MadeAccount, 'accountId' | 'canonicalId' | 'displayName' | 'email'> {
  readonly status: Account['status']
  readonly createdAt: string
  /** The account of the configuration says so; no other says anything. */
  readonly isOperator?: true
}

export interface Accounts {
  /** @throws S3Error InvalidArgument | EntityAlreadyExists (of that name) | LimitExceeded | ServiceUnavailable */
  create(input: unknown): Promise<MadeAccount>
  list(page: {
    readonly after: string
    readonly limit: number
  }): Promise<{ readonly accounts: readonly ListedAccount[]; readonly next?: string }>
  /** @throws S3Error NoSuchEntity | InvalidRequest (the first account) | ServiceUnavailable */
  setStatus(accountId: string, status: Account['status']): Promise<void>
  /**
   * Another key for a root that has lost its secret. An account has two at most.
   * @param input  may name a key that is deleted first
   * @throws S3Error InvalidArgument | NoSuchEntity | LimitExceeded | InvalidRequest (the first account) | ServiceUnavailable
   */
  newKey(accountId: string, input: unknown): Promise<MadeKey>
  /** @throws S3Error NoSuchEntity | DeleteConflict | InvalidRequest (the first account) | ServiceUnavailable */
  delete(accountId: string): Promise<void>
}

const inputSchema = z.strictObject({
  displayName: z.string().regex(/^[^\p{C}]{1,128}$/u, 'The name of an account (displayName) has 1 to 128 printable characters'),
  email: z
    .string()
    .regex(/^[^\s@\p{C}]{1,64}@[^\s@\p{C}]{1,255}$/u, 'The e-mail address (email) is none: it reads like name@example.org')
    .optional(),
})
const newKeySchema = z.strictObject({ replace: z.string().optional() })

export function createAccounts({ control, secret, firstAccountId, nowMs }: AccountsParts): Accounts {
  const sealing = createKeySealing({ secret })
  const checkNotFirst = (accountId: string): void => {
    if (accountId !== firstAccountId) return
    throw new S3Error('InvalidRequest', {
      message: `Account ${accountId} is the operator's: it cannot be disabled or deleted, and its root key stands in the configuration.`,
    })
  }
  /** NOTE: against mistakes alone; of two who ask at the same moment both are served. */
  const checkFreeName = async (displayName: string): Promise<void> => {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: readonly Account[] = await control.accounts({ after, limit: pageSize })
      const twin = page.find((account) => account.displayName === displayName)
      if (twin !== undefined) {
        throw new S3Error('EntityAlreadyExists', { message: `There is an account named ${displayName} already: ${twin.accountId}.` })
      }
      after = page.length < pageSize ? undefined : page.at(-1)?.accountId
    }
  }
  return {
    async create(input) {
      const { displayName, email } = parsed(inputSchema, input)
      await checkFreeName(displayName)
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
      const accounts = found.slice(0, limit).map((account) => toListed(account, firstAccountId))
      const last = accounts.at(-1)
      return { accounts, ...(found.length > limit && last !== undefined && { next: last.accountId }) }
    },
    async setStatus(accountId, status) {
      checkNotFirst(accountId)
      await control.changeIdentities({ kind: 'changeAccount', accountId: checkedId(accountId), set: { status } })
    },
    async newKey(accountId, input) {
      checkNotFirst(accountId)
      const { replace } = parsed(newKeySchema, input)
      if ((await control.account(checkedId(accountId))) === undefined) {
        throw new S3Error('NoSuchEntity', { message: `There is no account ${accountId}.` })
      }
      if (replace !== undefined) await control.changeIdentities({ kind: 'deleteAccessKey', accountId, accessKeyId: replace })
      const standing = await control.accessKeysOf({ accountId })
      if (standing.length >= accessKeysMax) throw tooManyKeys(accountId, standing)
      const { sealedSecret, ...made } = sealing.make()
      const key: AccessKey = { accessKeyId: made.accessKeyId, accountId, status: 'Active', createdMs: nowMs(), sealedSecret }
      await control.changeIdentities({ kind: 'createAccessKey', key })
      return { accountId, ...made }
    },
    async delete(accountId) {
      checkNotFirst(accountId)
      await control.changeIdentities({ kind: 'deleteAccount', accountId: checkedId(accountId) })
    },
  }
}

function parsed<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const [issue] = result.error.issues
  // Our own words are whole sentences; the library's say what is wrong with a member.
  const words =
    issue?.code === 'invalid_format' ? issue.message : `${issue?.path.join('.') || 'The account'}: ${issue?.message ?? 'not understood'}`
  throw new S3Error('InvalidArgument', { message: `${words}.` })
}

function tooManyKeys(accountId: string, keys: readonly AccessKey[]): S3Error {
  const list = keys.map(({ accessKeyId, status, createdMs }) => `${accessKeyId} (${status}, made ${new Date(createdMs).toISOString()})`)
  return new S3Error('LimitExceeded', {
    message: `The root of account ${accountId} has ${keys.length} keys already: ${list.join(', ')}. Say which of them to delete first: --replace KEY.`,
  })
}

function checkedId(accountId: string): string {
  if (/^[0-9]{12}$/.test(accountId)) return accountId
  throw new S3Error('InvalidArgument', { message: 'An account id has twelve digits.' })
}

function toListed({ accountId, canonicalId, displayName, email, status, createdMs }: Account, firstAccountId: string): ListedAccount {
  const isOperator = accountId === firstAccountId
  const createdAt = new Date(createdMs).toISOString()
  return { accountId, canonicalId, displayName, email: email ?? null, status, createdAt, ...(isOperator && { isOperator }) }
}
