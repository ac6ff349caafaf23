/** What `farshore check` says of a data folder; and files that belong to nothing, which a start must have swept away. */
import { join } from 'node:path'
import { checkRegion } from '../../../src/check/check-region.ts'
import type { RegionReport } from '../../../src/check/report.ts'
import { masterKeyIfThere } from '../../../src/config/master-key.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { came } from '../eventually.ts'

/** The check leaves files alone that are younger than ten minutes: to its clock everything here is older. */
const aheadMs = 3_600_000
const checkMaxMs = 60_000

/** @returns in words; the region may run, but nobody may write */
export async function folderViolations(dataFolder: string, { sweepMaxMs = 20_000 } = {}): Promise<readonly string[]> {
  let report: RegionReport | undefined
  const isSwept = await came(async () => {
    report = await check(dataFolder)
    return report.checked.orphanFiles === 0
  }, sweepMaxMs)
  const { findings = [], checked } = report ?? {}
  return [
    ...findings.map(({ kind, bucket, key, what }) => `check: ${bucket}/${key}: ${kind}: ${what}`),
    ...(isSwept ? [] : [`${checked?.orphanFiles} files with ${checked?.orphanBytes} bytes belong to nothing, and no sweep took them away`]),
  ]
}

async function check(dataDirectory: string): Promise<RegionReport> {
  const masterKey = await masterKeyIfThere(join(dataDirectory, 'master.key'))
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs }
  return await checkRegion({ dataDirectory, masterKey }, { clock, signal: AbortSignal.timeout(checkMaxMs) })
}
