/** The principals of a policy that is being saved, looked up: each must be somebody. */
import { sleep } from '../lib/engine.ts'
import type { PolicyDocument } from '../model/policy-document.ts'
import { checkPrincipals, type PrincipalIds, principalArns } from '../model/policy-principal-ids.ts'

/** Of this region's copy. */
export interface PrincipalDirectory {
  /** Of those that are there. */
  principalIds(arns: readonly string[]): Promise<PrincipalIds>
}

/** Whoever was made in another region a moment ago may not be known here yet: this is how long he is waited for. */
const patienceMs = [50, 150, 400]

/** @throws PolicyError malformed, for a principal that nobody is */
export async function resolvePrincipals(directory: PrincipalDirectory, policy: PolicyDocument, signal: AbortSignal): Promise<PrincipalIds> {
  const arns = principalArns(policy)
  if (arns.length === 0) return {}
  let ids = await directory.principalIds(arns)
  for (const ms of patienceMs) {
    if (arns.every((arn) => ids[arn] !== undefined)) break
    await sleep(ms, signal)
    ids = await directory.principalIds(arns)
  }
  checkPrincipals(arns, ids)
  return ids
}
