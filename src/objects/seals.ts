/** What the data key of each blob is sealed to: a row that is copied elsewhere opens nothing there. */
import type { Keyring } from '../blobs/seal.ts'
import type { SealedEncryption } from '../model/version.ts'

export type SealBinding =
  | { readonly kind: 'version'; readonly bucketId: string; readonly key: string; readonly versionId: string }
  | { readonly kind: 'part'; readonly bucketId: string; readonly key: string; readonly blobSet: string; readonly number: number }

export function sealDataKey(keyring: Keyring, dataKey: Uint8Array, binding: SealBinding): SealedEncryption {
  return { algorithm: 'AES256', sealedKey: keyring.seal(dataKey, bindingParts(binding)) }
}

export function openDataKey(keyring: Keyring, sealed: SealedEncryption, binding: SealBinding): Buffer {
  return keyring.open(sealed.sealedKey, bindingParts(binding))
}

function bindingParts(binding: SealBinding): readonly string[] {
  switch (binding.kind) {
    case 'version':
      return ['version', binding.bucketId, binding.key, binding.versionId]
    case 'part':
      return ['part', binding.bucketId, binding.key, binding.blobSet, String(binding.number)]
    default:
      return binding satisfies never
  }
}
