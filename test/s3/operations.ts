/** Sample operations of the wire's tests: each shows what it was given. */
import { type OperationDefinition, operation } from '../../src/s3/define.ts'
import type { Members } from '../../src/s3/members.ts'

/** An operation that answers 200 with its own name. */
export function named(name: string, route: string, more: Partial<OperationDefinition<Members>> = {}) {
  return operation({
    name,
    route,
    action: `s3:${name}`,
    input: {},
    errors: [],
    handle: () => Promise.resolve({ status: 200, headers: { 'x-operation': name } }),
    ...more,
  })
}
