/** The credentials file: the account and the secrets of a deployment, made once, mode 0600. */
import { randomBytes, randomInt } from 'node:crypto'
import { chmod, stat } from 'node:fs/promises'
import { z } from 'zod'
import { alphanumerics, base32Letters, randomText } from '../lib/random-text.ts'
import { ConfigError } from './config-error.ts'
import { readFileIfThere, writeFileOnce, writeFileSafely } from './files.ts'
import { type Credentials, settingsSchema } from './schema.ts'

/** The root key of a deployment, as an operator gives it. */
export type GivenCredentials = Partial<Credentials>

export interface KeptCredentials {
  readonly credentials: Credentials
  /** Whether a secret access key was made here that nobody has seen yet. */
  readonly isNew: boolean
}

const { accountId, canonicalId, rootAccessKeyId, rootSecretAccessKey, peeringSecret } = settingsSchema.shape.credentials.unwrap().shape
const fileSchema = z.strictObject({
  accountId: accountId.unwrap(),
  canonicalId: canonicalId.unwrap(),
  rootAccessKeyId: rootAccessKeyId.unwrap(),
  rootSecretAccessKey: rootSecretAccessKey.unwrap(),
  peeringSecret: peeringSecret.unwrap(),
})

/** @returns undefined when there is no such file */
export async function readCredentials(file: string): Promise<Credentials | undefined> {
  const text = await readFileIfThere(file)
  if (text === undefined) return undefined
  await closeToOthers(file)
  return parseCredentials(text, file)
}

/**
 * Reads the file, or makes it. What is given goes before what it holds and is kept in it,
 * so that whoever starts a region alone, or speaks to it, finds the same keys.
 */
export async function keepCredentials(file: string, given: GivenCredentials): Promise<KeptCredentials> {
  const known = await readCredentials(file)
  if (known === undefined) {
    const made = { ...makeCredentials(), ...given }
    // Another start may have been first; then its file is the one that counts.
    if (!(await writeFileOnce(file, textOf(made), 0o600))) return keepCredentials(file, given)
    return { credentials: made, isNew: given.rootSecretAccessKey === undefined }
  }
  const wanted = { ...known, ...given }
  if (textOf(wanted) !== textOf(known)) await writeFileSafely(file, textOf(wanted), 0o600)
  return { credentials: wanted, isNew: false }
}

function makeCredentials(): Credentials {
  return {
    accountId: String(randomInt(10 ** 11, 10 ** 12)),
    canonicalId: randomBytes(32).toString('hex'),
    // The shape of AWS's own, because some clients look at it: 20 capitals and digits, and 40 characters.
    rootAccessKeyId: `AKIA${randomText(16, base32Letters)}`,
    rootSecretAccessKey: randomText(40, alphanumerics),
    peeringSecret: randomBytes(32).toString('hex'),
  }
}

function parseCredentials(text: string, file: string): Credentials {
  const parsed = fileSchema.safeParse(jsonOrUndefined(text))
  if (parsed.success) return parsed.data
  // NOTE: the issue's input is not shown; it may be a secret.
  const [issue] = parsed.error.issues
  const where = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')})`
  throw new ConfigError(`${file} is not a credentials file of farshore${where}.`)
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function closeToOthers(file: string): Promise<void> {
  const { mode } = await stat(file)
  // Read-only mounts keep their mode; there the operator has decided.
  if ((mode & 0o077) !== 0) await chmod(file, mode & 0o700).catch(() => undefined)
}

function textOf(credentials: Credentials): string {
  const { accountId, canonicalId, rootAccessKeyId, rootSecretAccessKey, peeringSecret } = credentials
  return `${JSON.stringify({ accountId, canonicalId, rootAccessKeyId, rootSecretAccessKey, peeringSecret }, undefined, 2)}\n`
}
