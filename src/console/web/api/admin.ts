/** The admin API of each region: what an operator may ask. */
import type { Api } from './http.ts'

export interface RegionStanding {
  readonly region: string
  readonly home: string | null
  readonly epoch: number
  readonly rows: number
  readonly homeRows: number | null
  readonly stopped: string | null
  readonly links: readonly {
    readonly region: string
    readonly isReachable: boolean
    readonly awaySince: string | null
    readonly why: string | null
  }[]
}

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

/** @throws ApiError */
export function regionStanding(api: Api, region: string): Promise<RegionStanding> {
  return api.json<RegionStanding>(adminPath(region, 'region'))
}

/** Rules whose source is in this region. @throws ApiError */
export async function ruleStatuses(api: Api, region: string): Promise<readonly RuleStatus[]> {
  return (await api.json<{ rules: readonly RuleStatus[] }>(adminPath(region, 'replication'))).rules
}
