/** What a call to another region ends in. */
import { PeerRefused, PeerUnreachable } from '../../src/peers/errors.ts'

export async function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error('it did not fail')
    },
    (reason: unknown) => reason,
  )
}

export async function unreachable(call: Promise<unknown>): Promise<PeerUnreachable> {
  const error = await failure(call)
  if (error instanceof PeerUnreachable) return error
  throw error
}

export async function refused(call: Promise<unknown>): Promise<PeerRefused> {
  const error = await failure(call)
  if (error instanceof PeerRefused) return error
  throw error
}
