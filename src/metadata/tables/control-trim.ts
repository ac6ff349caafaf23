/** Forgets old rows of the control log, a bounded piece at a time. What they changed stays. */
import { type Steps, statement, type TransactionContext } from '../steps.ts'
import { number, text } from './columns.ts'
import { controlBase, controlEpochs, writeControlBase, writeControlEpochs } from './control-epochs.ts'

/** Of one commit: the event loop is not held. */
const trimStep = 500

/** @param input.through  the newest row to forget; the newest of all stays in any case @returns whether there are more to forget */
function* trimControl(input: { readonly through: number }, context: TransactionContext): Steps<{ readonly isMore: boolean }> {
  const base = yield* controlBase()
  const [newest] = yield statement('SELECT coalesce(max(position), 0) AS position FROM control_log')
  const through = Math.min(input.through, number(newest?.position) - 1)
  const step = Math.min(through, base.position + trimStep)
  if (step <= base.position) return { isMore: false }
  const [last] = yield statement('SELECT hash, seq FROM control_log WHERE position = ?1', step)
  // NOTE: before rows go, as they may hold the only word about who was home.
  yield* writeControlEpochs(yield* controlEpochs(), context)
  yield* writeControlBase({ position: step, hash: text(last?.hash) }, context)
  yield statement('DELETE FROM control_log WHERE position <= ?1', step)
  return { isMore: step < through }
}

export const controlTrims = { trimControl } as const
