/** What must hold in a region in which one call has failed, before anything is started again. */
import type { Outcome } from '../actor.ts'
import { came } from '../eventually.ts'
import type { Fault, Hit } from '../shim/control.ts'

const recoverMaxMs = 5_000

export interface Faulted {
  readonly fault: Omit<Fault, 'match'>
  readonly hit: Hit
  /** Of the requests since the fault was armed, in order. */
  readonly outcomes: readonly Outcome[]
  /** The call served none of the requests. Otherwise they came one by one, and the number of answers tells which was under way. */
  readonly isBeside: boolean
  /** One more write, now that nothing fails any more. */
  probe(): Promise<Outcome>
}

export async function faultRules({ fault, hit, outcomes, isBeside, probe }: Faulted): Promise<readonly string[]> {
  const where = `${fault.how} at call ${fault.at}, ${hit.kind} ${hit.path}`
  const isError = fault.how === 'EIO' || fault.how === 'ENOSPC'
  if (hit.kind === 'S' && isError) {
    const violations: string[] = []
    if (!isBeside && outcomes[hit.answers] === 'acknowledged') violations.push(`acknowledged after a failed sync (${where})`)
    // After that nobody knows what the disk holds of the journal: only a new start may write on.
    const isJournal = hit.path.includes('/metadata/')
    if (isJournal && (await probe()) === 'acknowledged') violations.push(`a write was taken after a failed sync of the metadata (${where})`)
    return violations
  }
  const isSpace = fault.how === 'ENOSPC' || fault.how === 'full'
  if (isSpace && !(await came(async () => (await probe()) === 'acknowledged', recoverMaxMs)))
    return [`no write was taken within ${recoverMaxMs} ms of space being back (${where})`]
  return []
}
