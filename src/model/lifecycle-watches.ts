/** What of a bucket's rules can come due by something else than time: what the transactions that cause it have to know. */
import type { LifecycleConfiguration, LifecycleRule } from './lifecycle.ts'
import type { Age } from './lifecycle-rules.ts'

/** Whether some rule keeps so many newer noncurrent versions, so that each more may make an older one due. */
export function countsNewer(configuration: LifecycleConfiguration): boolean {
  return enabled(configuration).some((rule) => {
    const noncurrent = [rule.NoncurrentVersionExpiration ?? [], rule.NoncurrentVersionTransition ?? []].flat()
    return noncurrent.some(({ NewerNoncurrentVersions: kept = 0 }) => kept > 0)
  })
}

/** Whether some rule asks for tags. */
export function asksTags(configuration: LifecycleConfiguration): boolean {
  return enabled(configuration).some(({ Filter: filter }) => filter?.Tag !== undefined || (filter?.And?.Tag ?? []).length > 0)
}

/**
 * Whether at an age of current versions only delete markers can be due. They are few, and found by an index of their own: at this age every
 * object would be read.
 */
export function isForMarkers(configuration: LifecycleConfiguration, { age }: Pick<Age, 'age'>): boolean {
  if (age !== '0') return false
  return !enabled(configuration).some(({ Expiration, Transition = [] }) =>
    [Expiration ?? [], Transition].flat().some((one) => one.Days === 0),
  )
}

function enabled({ Rule: rules }: LifecycleConfiguration): readonly LifecycleRule[] {
  return rules.filter(({ Status }) => Status === 'Enabled')
}
