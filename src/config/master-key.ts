/** The key that seals the keys of objects. Whoever loses it loses every encrypted object. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { ConfigError } from './config-error.ts'
import { readFileIfThere, writeFileOnce } from './files.ts'
import type { Config } from './schema.ts'

const keyBytes = 32

/**
 * 32 bytes. A file that the operator named must be there; the one in the data directory is made at the first start.
 * NOTE: the caller must refuse a start whose data was sealed with another key.
 */
export async function readMasterKey({ dataDirectory, encryption: { masterKeyFile } }: Config): Promise<Buffer> {
  const standing = await masterKeyIfThere(masterKeyFile)
  if (standing !== undefined) return standing
  if (masterKeyFile !== join(dataDirectory, 'master.key')) throw new ConfigError(`The master key ${masterKeyFile} is missing.`)
  const key = randomBytes(keyBytes)
  if (await writeFileOnce(masterKeyFile, `${key.toString('hex')}\n`, 0o600)) return key
  throw new ConfigError(`${masterKeyFile} was made by another process at this moment. Start again.`)
}

/** @throws ConfigError when the file is something else */
export async function masterKeyIfThere(file: string): Promise<Buffer | undefined> {
  const text = await readFileIfThere(file)
  if (text === undefined) return undefined
  if (!/^[0-9a-fA-F]{64}\s*$/.test(text)) throw new ConfigError(`${file} must hold 64 hex digits.`)
  return Buffer.from(text.trim(), 'hex')
}
