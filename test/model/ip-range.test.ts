import { describe, expect, it } from 'vitest'
import { isInRange, parseIpAddress, parseIpRange } from '../../src/model/ip-range.ts'

function isIn(address: string, range: string): boolean | undefined {
  const parsedAddress = parseIpAddress(address)
  const parsedRange = parseIpRange(range)
  return parsedAddress && parsedRange && isInRange(parsedAddress, parsedRange)
}

describe('IP ranges', () => {
  it.each([
    ['203.0.113.7', '203.0.113.0/24', true],
    ['203.0.114.7', '203.0.113.0/24', false],
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.8', '203.0.113.7/32', false],
    ['8.8.8.8', '0.0.0.0/0', true],
    ['::ffff:203.0.113.7', '203.0.113.0/24', true],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1', true],
    ['::1', '0.0.0.0/0', false],
    ['1.2.3.4', '::/0', false],
    ['::', '::/128', true],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221', true],
  ])('%s in %s: %s', (address, range, expected) => {
    expect(isIn(address, range)).toBe(expected)
  })

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4/33',
    '1.2.3.4/',
    '1.2.3.4/8/8',
    '::1::',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    'g::',
    '::/129',
    ':1',
    '12345::',
  ])('does not take %j for one', (text) => {
    expect(parseIpRange(text)).toBeUndefined()
  })
})
