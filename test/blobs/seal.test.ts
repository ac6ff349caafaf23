import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createKeyring, SealBroken, SealKeyUnknown } from '../../src/blobs/seal.ts'

describe('a sealed data key', () => {
  const masterKey = randomBytes(32)
  const dataKey = randomBytes(32)
  const keyring = createKeyring(masterKey)
  const sealed = keyring.seal(dataKey, ['bucket', 'key', 'version'])

  it('opens with the same master key and binding', () => {
    expect(createKeyring(masterKey).open(sealed, ['bucket', 'key', 'version']).equals(dataKey)).toBe(true)
  })

  it.each([
    [['bucket', 'key', 'other']],
    [['bucket', 'keyv', 'ersion']],
    [['bucket', 'key']],
    [['bucket', 'key', 'version', '']],
    [['key', 'bucket', 'version']],
  ])('does not open for %j', (binding) => {
    expect(() => keyring.open(sealed, binding)).toThrow(SealBroken)
  })

  it('names the key that sealed it, which another master key does not open', () => {
    const other = createKeyring(randomBytes(32))
    expect(sealed).toContain(keyring.keyId)
    expect(other.keyId).not.toBe(keyring.keyId)
    expect(() => other.open(sealed, ['bucket', 'key', 'version'])).toThrow(SealKeyUnknown)
    expect(() => other.open(sealed, ['bucket', 'key', 'version'])).toThrow(keyring.keyId)
  })

  it('does not open with its key id exchanged for ours', () => {
    const other = createKeyring(randomBytes(32))
    expect(() => other.open(sealed.replace(keyring.keyId, other.keyId), ['bucket', 'key', 'version'])).toThrow(SealBroken)
  })

  it('does not open when any byte of it is changed, or when it is cut or lengthened', () => {
    const [form, keyId, text = ''] = sealed.split('.')
    const bytes = Buffer.from(text, 'base64url')
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => keyring.open(`${form}.${keyId}.${changed.toString('base64url')}`, ['bucket', 'key', 'version'])).toThrow(SealBroken)
    }
    for (const wrong of [
      '',
      'v1',
      `v2.${keyId}.${text}`,
      `${sealed}.x`,
      `v1.${keyId}.`,
      `v1.${keyId}.${text.slice(0, -4)}`,
      `${sealed}AAAA`,
    ]) {
      expect(() => keyring.open(wrong, ['bucket', 'key', 'version'])).toThrow(SealBroken)
    }
  })

  it('is another text each time', () => {
    expect(keyring.seal(dataKey, ['a'])).not.toBe(keyring.seal(dataKey, ['a']))
  })
})

it('refuses a master key of another length', () => {
  expect(() => createKeyring(randomBytes(31))).toThrow(RangeError)
})
