/** IP addresses and CIDR ranges as numbers, for conditions on where a request comes from. */

export interface IpAddress {
  readonly family: 4 | 6
  readonly value: bigint
}

/** Undefined when `text` is not an address. `::ffff:192.0.2.1` is the IPv4 address that it stands for. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const v4 = parseV4(text)
  if (v4 !== undefined) return { family: 4, value: v4 }
  const v6 = parseV6(text)
  if (v6 === undefined) return undefined
  return v6 >> 32n === 0xffffn ? { family: 4, value: v6 & 0xffff_ffffn } : { family: 6, value: v6 }
}

export interface IpRange {
  readonly address: IpAddress
  readonly prefixLength: number
}

/** `192.0.2.0/24`, or one address. Undefined when it is neither. */
export function parseIpRange(text: string): IpRange | undefined {
  const [host = '', length, ...rest] = text.split('/')
  const address = parseIpAddress(host)
  if (address === undefined || rest.length > 0) return undefined
  const bits = address.family === 4 ? 32 : 128
  if (length === undefined) return { address, prefixLength: bits }
  if (!/^[0-9]{1,3}$/.test(length) || Number(length) > bits) return undefined
  return { address, prefixLength: Number(length) }
}

export function isInRange(address: IpAddress, range: IpRange): boolean {
  if (address.family !== range.address.family) return false
  const shift = BigInt((address.family === 4 ? 32 : 128) - range.prefixLength)
  return address.value >> shift === range.address.value >> shift
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)) return undefined
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function parseV6(text: string): bigint | undefined {
  const [head = '', tail, ...rest] = text.split('::')
  if (rest.length > 0) return undefined
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  if (before === undefined || after === undefined) return undefined
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const all = [...before, ...Array.from({ length: missing }, () => 0n), ...after]
  return all.reduce((value, group) => (value << 16n) | group, 0n)
}

/** Groups of 16 bits; the last two may be written as an IPv4 address. */
function groups(text: string): readonly bigint[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const found: bigint[] = []
  for (const [index, part] of parts.entries()) {
    const v4 = index === parts.length - 1 ? parseV4(part) : undefined
    if (v4 !== undefined) found.push(v4 >> 16n, v4 & 0xffffn)
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) found.push(BigInt(`0x${part}`))
    else return undefined
  }
  return found
}
