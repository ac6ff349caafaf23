/** Waiting for what something else brings about, with an end to it. */
import { setTimeout as sleep } from 'node:timers/promises'

const pollMs = 5

/** @returns false when the time is over */
export async function came(isTrue: () => boolean | Promise<boolean>, deadlineMs: number): Promise<boolean> {
  const until = performance.now() + deadlineMs
  while (!(await isTrue())) {
    if (performance.now() > until) return false
    await sleep(pollMs)
  }
  return true
}

/** Resolves when a number has stayed the same for a while, or the time is over. */
export async function quiet(
  read: () => number,
  { forMs, deadlineMs }: { readonly forMs: number; readonly deadlineMs: number },
): Promise<void> {
  let last = read()
  let sinceMs = performance.now()
  await came(() => {
    const now = read()
    if (now !== last) {
      last = now
      sinceMs = performance.now()
    }
    return performance.now() - sinceMs >= forMs
  }, deadlineMs)
}
