/** Answers that may take long: white space keeps the connection alive until the result is known. */
import type { S3Error } from '../model/errors.ts'
import { errorElement, type ResponseIds } from './errors-out.ts'
import type { Reply, SlowReply } from './reply.ts'
import type { Responder } from './responder.ts'
import { xmlProlog, xmlRootElement } from './xml/write.ts'

export interface SlowTiming {
  /** Up to here the answer has a status of its own. */
  readonly graceMs: number
  /** Between two spaces; well below the 60 s after which SDKs give a read up. */
  readonly intervalMs: number
}

export const slowTiming: SlowTiming = { graceMs: 5000, intervalMs: 5000 }

export interface SlowSending {
  readonly responder: Responder
  readonly ids: ResponseIds
  /** What the client is told of a failure; it logs what it must. */
  readonly errorOf: (thrown: unknown) => S3Error
  readonly timing: SlowTiming
}

type Outcome = { readonly reply: Reply } | { readonly thrown: unknown }

/** @throws what the work throws within the grace, and what the connection throws */
export async function sendSlow({ slow }: SlowReply, { responder, ids, errorOf, timing }: SlowSending): Promise<void> {
  const outcome: Promise<Outcome> = slow.then(
    (reply) => ({ reply }),
    (thrown: unknown) => ({ thrown }),
  )
  const early = await within(outcome, timing.graceMs)
  if (early !== undefined) {
    if ('thrown' in early) throw early.thrown
    return responder.send(early.reply)
  }

  responder.begin(200, { 'content-type': 'application/xml' })
  // The prolog goes first: nothing may stand before it, and white space may follow.
  await responder.write(xmlProlog)
  let late = await within(outcome, timing.intervalMs)
  while (late === undefined) {
    await responder.write(' ')
    late = await within(outcome, timing.intervalMs)
  }
  await responder.write(lateText(late, { ids, errorOf }))
  return responder.end()
}

function lateText(late: Outcome, { ids, errorOf }: Pick<SlowSending, 'ids' | 'errorOf'>): string {
  if ('thrown' in late) return errorElement(errorOf(late.thrown), ids)
  const { body } = late.reply
  if (typeof body === 'object' && 'kind' in body && body.kind === 'xml') return xmlRootElement(body)
  return errorElement(errorOf(new Error('a slow answer was no XML')), ids)
}

async function within<T>(promise: Promise<T>, timeMs: number): Promise<T | undefined> {
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), timeMs)
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
