/** `farshore account`: the accounts of a deployment. */
import type { Command } from 'commander'
import { type AdminApi, type AdminOptions, addAdminOptions, apisOf, homeOf } from './admin-api.ts'
import { type CliContext, type ExitCode, exitCodes } from './context.ts'

/** As the region answers when it makes one. */
interface MadeAccount {
  readonly accountId: string
  readonly canonicalId: string
  readonly displayName: string
  readonly email: string | null
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

type MadeKey = Pick<MadeAccount, 'accountId' | 'accessKeyId' | 'secretAccessKey'>

interface ListedAccount {
  readonly accountId: string
  readonly canonicalId: string
  readonly displayName: string
  readonly email: string | null
  readonly status: string
  readonly createdAt: string
  readonly isOperator?: true
}

interface AccountsPage {
  readonly accounts: readonly ListedAccount[]
  readonly next?: string
}

const path = '/admin/v1/accounts'
const pathOf = (accountId: string): string => `${path}/${encodeURIComponent(accountId)}`

export function addAccount(program: Command, context: CliContext, finish: (code: ExitCode) => void): void {
  const account = program.command('account').description('make, list, shut out and delete accounts; one made in any region is known in all')
  const run = async (options: AdminOptions, work: (api: AdminApi) => Promise<void>): Promise<void> => {
    await work(await homeOf(await apisOf(options, context), (message) => context.err(`farshore: ${message}`)))
    finish(exitCodes.ok)
  }
  addAdminOptions(
    account
      .command('create')
      .description('make an account, and show the secret of its root key: this once')
      .argument('<name>', 'what it is called in listings')
      .option('--email <address>', 'whom to write to'),
  ).action((displayName: string, options: AdminOptions & { readonly email?: string }) => {
    const { email } = options
    return run(options, async (api) => {
      const made = await api.send<MadeAccount>('POST', path, { displayName, ...(email !== undefined && { email }) })
      for (const line of options.json ? [JSON.stringify(made)] : linesOfMade(made)) context.out(line)
    })
  })
  addAdminOptions(account.command('list').description('list the accounts, in the order of their ids')).action((options: AdminOptions) =>
    run(options, async (api) => {
      const accounts = await all(api)
      for (const line of options.json ? [JSON.stringify({ accounts })] : accounts.map(lineOf)) context.out(line)
    }),
  )
  addAdminOptions(
    account
      .command('new-key')
      .description("make another root key for an account whose root has lost its secret, and show the new key's secret: this once")
      .argument('<id>', 'its twelve digits')
      .option('--replace <access-key-id>', 'delete this root key of the account first; it has two at most'),
  ).action((accountId: string, options: AdminOptions & { readonly replace?: string }) => {
    const { replace } = options
    return run(options, async (api) => {
      const made = await api.send<MadeKey>('POST', `${pathOf(accountId)}/keys`, { ...(replace !== undefined && { replace }) })
      for (const line of options.json ? [JSON.stringify(made)] : linesOfKey(made)) context.out(line)
    })
  })
  const commands = [
    ['disable', 'let none of its keys open anything; what it owns stays, and replicates on', 'is disabled', 'POST', '/disable'],
    ['enable', 'undo disable', 'is enabled', 'POST', '/enable'],
    ['delete', 'delete an account that owns no bucket and has no users, groups, roles and policies', 'is deleted', 'DELETE', ''],
  ] as const
  for (const [word, description, done, method, action] of commands) {
    addAdminOptions(account.command(word).description(description).argument('<id>', 'its twelve digits')).action(
      (accountId: string, options: AdminOptions) =>
        run(options, async (api) => {
          await api.send(method, `${pathOf(accountId)}${action}`)
          context.out(options.json ? JSON.stringify({ accountId }) : `Account ${accountId} ${done}.`)
        }),
    )
  }
}

async function all(api: AdminApi): Promise<readonly ListedAccount[]> {
  const found: ListedAccount[] = []
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: AccountsPage = await api.get(`${path}?after=${encodeURIComponent(after)}`)
    found.push(...page.accounts)
    after = page.next
  }
  return found
}

function linesOfMade({ accountId, canonicalId, displayName, accessKeyId, secretAccessKey }: MadeAccount): readonly string[] {
  return [
    `Account ${accountId} (${displayName}) is made. The secret of its root key is shown this once.`,
    `  canonical id       ${canonicalId}`,
    `  access key id      ${accessKeyId}`,
    `  secret access key  ${secretAccessKey}`,
  ]
}

function linesOfKey({ accountId, accessKeyId, secretAccessKey }: MadeKey): readonly string[] {
  return [
    `The root of account ${accountId} has another key. Its secret is shown this once.`,
    `  access key id      ${accessKeyId}`,
    `  secret access key  ${secretAccessKey}`,
  ]
}

function lineOf({ accountId, canonicalId, displayName, email, status, isOperator }: ListedAccount): string {
  const whose = `${displayName}${email === null ? '' : ` <${email}>`}${isOperator ? ' (the operator)' : ''}`
  return `${accountId}  ${status}  ${canonicalId}  ${whose}`
}
