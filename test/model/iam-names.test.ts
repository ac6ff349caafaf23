import { describe, expect, it } from 'vitest'
import {
  checkDescription,
  checkMaxSessionDuration,
  checkPath,
  checkPolicyName,
  checkRoleName,
  foldName,
  IamValidationError,
} from '../../src/model/iam-names.ts'

describe('names of roles and policies', () => {
  it.each(['r', 'replication-role', 'A+b=c,d.e@f-g_9', '__proto__', 'r'.repeat(64)])('take %j', (name) => {
    expect(() => checkRoleName(name)).not.toThrow()
    expect(() => checkPolicyName(name)).not.toThrow()
  })

  it.each([
    ['', 'Member must have length greater than or equal to 1'],
    ['r'.repeat(65), 'Member must have length less than or equal to 64'],
    ['with space', 'Member must satisfy regular expression pattern: [\\w+=,.@-]+'],
    ['a/b', 'Member must satisfy regular expression pattern: [\\w+=,.@-]+'],
    ['rôle', 'Member must satisfy regular expression pattern: [\\w+=,.@-]+'],
    ['role\n', 'Member must satisfy regular expression pattern: [\\w+=,.@-]+'],
  ])('refuse %j', (name, constraint) => {
    expect(() => checkRoleName(name)).toThrow(
      new IamValidationError(`1 validation error detected: Value at 'roleName' failed to satisfy constraint: ${constraint}`),
    )
  })

  it('lets the name of a policy be 128 characters long', () => {
    expect(() => checkPolicyName('p'.repeat(128))).not.toThrow()
    expect(() => checkPolicyName('p'.repeat(129))).toThrow(/less than or equal to 128/)
  })

  it('compares without case', () => {
    expect(foldName('Replication')).toBe(foldName('rEPLICATION'))
  })
})

describe('paths', () => {
  it.each(['/', '/service-role/', '/a/b/', `/${'p'.repeat(510)}/`])('takes %j', (path) => {
    expect(() => checkPath(path)).not.toThrow()
  })

  it.each(['', 'a', '/a', 'a/', '/a b/', '/ü/', `/${'p'.repeat(511)}/`])('refuses %j', (path) => {
    expect(() => checkPath(path)).toThrow(IamValidationError)
  })
})

describe('descriptions and session lengths', () => {
  it.each(['', 'For\treplication.\r\n', 'é', 'd'.repeat(1000)])('takes the description %j', (text) => {
    expect(() => checkDescription(text)).not.toThrow()
  })

  it.each(['d'.repeat(1001), '€', '\u0000'])('refuses the description %j', (text) => {
    expect(() => checkDescription(text)).toThrow(IamValidationError)
  })

  it('takes sessions from one hour to twelve', () => {
    for (const seconds of [3600, 43_200]) expect(() => checkMaxSessionDuration(seconds)).not.toThrow()
    for (const seconds of [3599, 43_201, 3600.5, Number.NaN]) expect(() => checkMaxSessionDuration(seconds)).toThrow(IamValidationError)
  })
})
