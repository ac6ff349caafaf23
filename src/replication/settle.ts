/** What an answer means for a task: COMPLETED, FAILED, or once more, and when. Pure. */
import type { Settlement, SettlementOutcome } from '../metadata/tables/settlements.ts'
import type { Task } from '../metadata/tables/tasks.ts'
import { type FailureReason, failureClass, failureText } from '../model/replication-reasons.ts'
import type { Sent } from './send.ts'

/** A fault that passes is tried again after this, twice as long each time, up to five minutes. */
const retryFirstMs = 500
export const retryMaxMs = 5 * 60 * 1000
/** A refusal is tried again at this pace, besides at once when what refused it changes. */
const refusedFirstMs = 50_000
export const refusedMaxMs = 60 * 60 * 1000
/** Something changed while the refused one was under way: what refused it may be gone. */
const changedMeanwhileMs = 250

export interface SettleContext {
  readonly nowMs: number
  /** 0 to 1. */
  readonly random: () => number
  /** Whether a role, bucket or configuration changed while the deliveries were under way. */
  readonly changedMeanwhile: boolean
}

/** @returns undefined when there is nothing to write: the task is gone, or waits its turn */
export function settlementOf(sent: Sent, context: SettleContext): Settlement | undefined {
  switch (sent.kind) {
    case 'gone':
    case 'left':
      return undefined
    case 'moved':
      return settlement(sent.task, { kind: 'moved', to: sent.to })
    case 'failed':
      return settlement(sent.task, failure(sent.task, sent.reason, failureText(sent.reason), context))
    case 'answered': {
      const outcome = outcomeOf(sent, context)
      return outcome === undefined ? undefined : settlement(sent.task, outcome)
    }
    default:
      return sent satisfies never
  }
}

/** For tasks whose batch came to nothing as a whole. */
export function retryOf(task: Task, why: { readonly reason: FailureReason; readonly message: string }, context: SettleContext): Settlement {
  return settlement(task, failure(task, why.reason, why.message, context))
}

function outcomeOf(
  { task, acknowledgement, expectedProof }: Sent & { kind: 'answered' },
  context: SettleContext,
): SettlementOutcome | undefined {
  switch (acknowledgement.kind) {
    case 'stands': {
      if (acknowledgement.proof === expectedProof) return { kind: 'completed' }
      const message = `The destination read back ${acknowledgement.proof}, and the source has ${expectedProof}.`
      return failure(task, 'DstChecksumMismatch', message, context)
    }
    case 'missing':
      return {
        kind: 'retry',
        reason: 'DstVersionNotFound',
        message: failureText('DstVersionNotFound'),
        nextAttemptMs: context.nowMs,
        needsContent: true,
      }
    case 'purged':
      // It had arrived, and its answer was lost; what somebody there did to it later is not undone.
      if (task.isContent) return { kind: 'completed' }
      return failure(task, 'DstObjectHardDeleted', failureText('DstObjectHardDeleted'), context)
    case 'failed':
      return failure(task, acknowledgement.reason, acknowledgement.message, context)
    case 'behindFault':
      return undefined
    default:
      return acknowledgement satisfies never
  }
}

function failure(task: Task, reason: FailureReason, message: string, context: SettleContext): SettlementOutcome {
  const { nowMs } = context
  if (failureClass(reason) === 'transient') {
    const delayMs = backoffMs({ firstMs: retryFirstMs, maxMs: retryMaxMs, attempts: task.attempts, random: context.random() })
    return { kind: 'retry', reason, message, nextAttemptMs: nowMs + delayMs }
  }
  const delayMs = context.changedMeanwhile
    ? changedMeanwhileMs
    : backoffMs({ firstMs: refusedFirstMs, maxMs: refusedMaxMs, attempts: task.attempts, random: context.random() })
  return { kind: 'failed', reason, message, nextAttemptMs: nowMs + delayMs }
}

/** Doubles with each attempt, up to a limit; the last fifth is left to chance, so that what failed together does not return together. */
export function backoffMs(of: {
  readonly firstMs: number
  readonly maxMs: number
  readonly attempts: number
  readonly random: number
}): number {
  const full = Math.min(of.maxMs, of.firstMs * 2 ** Math.min(of.attempts, 30))
  return Math.round(full * (0.8 + 0.2 * of.random))
}

function settlement(task: Task, outcome: SettlementOutcome): Settlement {
  const { bucketId, key, versionId, destination, revision } = task
  return { bucketId, key, versionId, destination, revision, outcome }
}
