/** Configurations that are put, and how they are refused. */
import { checkLifecycleConfiguration } from '../../../src/model/lifecycle-configuration.ts'
import type { LifecycleRuleInput } from '../../../src/model/lifecycle-input.ts'
import { refused } from '../refused.ts'

const minimum = 'all_storage_classes_128K' as const
export const simple: LifecycleRuleInput = { ID: 'one', Filter: {}, Status: 'Enabled', Expiration: { Days: '1' } }
export const idle: LifecycleRuleInput = { ID: 'one', Filter: {}, Status: 'Enabled' }

export function check(...rules: readonly LifecycleRuleInput[]) {
  let made = 0
  const makeId = () => {
    made++
    return `made-${made}`
  }
  return checkLifecycleConfiguration({ Rule: rules }, { makeId, minimum })
}

export function refusal(...rules: readonly LifecycleRuleInput[]) {
  const { code, message } = refused(() => check(...rules))
  return [code, message]
}

export const malformed = ['MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema']
export const a = { Key: 'a', Value: '1' }
export const b = { Key: 'b', Value: '2' }

export const notMidnight = ['InvalidArgument', "'Date' must be at midnight GMT"]
export const positive = (name: string, action: string) => ['InvalidArgument', `'${name}' for ${action} action must be a positive integer`]
export const request = (message: string) => ['InvalidRequest', message]
export const argument = (message: string) => ['InvalidArgument', message]
export const transition = (...Transition: NonNullable<LifecycleRuleInput['Transition']>) => ({ ...idle, Transition })
export const noncurrent = (...NoncurrentVersionTransition: NonNullable<LifecycleRuleInput['NoncurrentVersionTransition']>) => ({
  ...idle,
  NoncurrentVersionTransition,
})
