/** Which objects a lifecycle rule is for. */
import type { LifecycleFacts, LifecycleFilter, LifecycleRule } from './lifecycle.ts'

export function matches(rule: LifecycleRule, { key, tags, size, isDeleteMarker, isLatest }: LifecycleFacts): boolean {
  if (!key.startsWith(prefixOf(rule))) return false
  const { Filter: filter = {} } = rule
  const wanted = filter.Tag ? [filter.Tag] : (filter.And?.Tag ?? [])
  if (!wanted.every(({ Key, Value }) => tags.some((tag) => tag.Key === Key && tag.Value === Value))) return false
  if (!hasSizes(filter)) return true
  // S3: a noncurrent marker is an object without data; a current one has no size.
  if (isDeleteMarker && isLatest) return false
  const { ObjectSizeGreaterThan: above = -1, ObjectSizeLessThan: below = Number.POSITIVE_INFINITY } = filter.And ?? filter
  return size > above && size < below
}

export function prefixOf({ Prefix: prefix, Filter: filter }: Pick<LifecycleRule, 'Prefix' | 'Filter'>): string {
  return prefix ?? filter?.Prefix ?? filter?.And?.Prefix ?? ''
}

export function hasSizes(filter: LifecycleFilter | undefined): boolean {
  const { ObjectSizeGreaterThan: above, ObjectSizeLessThan: below } = filter?.And ?? filter ?? {}
  return above !== undefined || below !== undefined
}
