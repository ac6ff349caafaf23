/** Whether an address is one that cannot be on the open internet. A name is trusted only when it is `localhost`: any other may point anywhere. */
import { BlockList, isIP } from 'node:net'

/** RFC 1122, 1918, 3927, 4193, 4291 and 6598. */
const privateNetworks = [
  ['127.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
] as const

/** @param host  as in a URL: an IPv6 address may stand in brackets */
export function isPrivateHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  const family = isIP(bare)
  if (family === 0) return bare === 'localhost'
  const networks = new BlockList()
  for (const [address, bits, kind] of privateNetworks) networks.addSubnet(address, bits, kind)
  return networks.check(bare, family === 4 ? 'ipv4' : 'ipv6')
}
