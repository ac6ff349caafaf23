/** The admin API of each region: what an operator may ask. */
import type { Api } from './http.ts'

export interface RuleStatus {
  readonly region: string
  readonly bucket: string
  readonly ruleId: string
  readonly destination: { readonly bucket: string; readonly region: string }
  readonly pendingOperations: number
  readonly pendingBytes: number
  readonly oldestPendingAgeMs: number
  readonly failed: number
  readonly lastError: { readonly code: string; readonly message: string; readonly at: string } | null
}

const adminPath = (region: string, path: string): string => `/api/admin/${encodeURIComponent(region)}/${path}`

/** Rules whose source is in this region. @throws ApiError */
export async function ruleStatuses(api: Api, region: string): Promise<readonly RuleStatus[]> {
  return (await api.json<{ rules: readonly RuleStatus[] }>(adminPath(region, 'replication'))).rules
}
