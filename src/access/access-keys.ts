/** Access keys: their ids, their secrets, and how a secret is kept. */
import { alphanumerics, base32Letters, randomText } from '../lib/random-text.ts'
import type { AccessKey } from '../model/identities.ts'
import { createSealer } from './sealing.ts'

/** What an owner is shown, once. */
export interface KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface KeySealing {
  /** A new key, and its secret as a row keeps it. */
  make(): KeyPair & Pick<AccessKey, 'sealedSecret'>
  /** Undefined for a row that this deployment did not write. */
  open(key: Pick<AccessKey, 'accessKeyId' | 'sealedSecret'>): string | undefined
}

/** The shape of AWS's own, because some clients look at it: the prefix says what kind of key it is. */
export type KeyIdPrefix = 'AKIA' | 'ASIA'
const idLength = 16
const secretLength = 40

/** @param secret  the deployment's peering secret, the same in every region */
export function createKeySealing({ secret }: { readonly secret: string }): KeySealing {
  const sealer = createSealer({ secret, label: 'farshore access key' })
  return {
    make() {
      const accessKeyId = newKeyId('AKIA')
      const secretAccessKey = randomText(secretLength, alphanumerics)
      return { accessKeyId, secretAccessKey, sealedSecret: sealer.seal(secretAccessKey, accessKeyId) }
    },
    open: ({ accessKeyId, sealedSecret }) => sealer.open(sealedSecret, accessKeyId),
  }
}

export function newKeyId(prefix: KeyIdPrefix): string {
  return `${prefix}${randomText(idLength, base32Letters)}`
}
