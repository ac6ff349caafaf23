/**
 * Moving home. A row that names a new home says nothing that the row before it, the region and the epoch do not say already, so that whoever
 * writes it after the same row writes the same one: a handover whose answer was lost and the forced promotion after it are one history.
 */
import { S3Error } from '../../model/errors.ts'
import type { Steps, TransactionContext } from '../steps.ts'
import { type ControlRow, insertAndApply, lastControlRow, NotControlHome, signedRow } from './control.ts'
import { homeRegion } from './control-epochs.ts'

/**
 * The old home's last write: from this row on the other region keeps the log.
 * @param input.position  of the newest row that the other region is known to have: with another one here nothing is written
 * @throws NotControlHome; S3Error OperationAborted when there are newer rows
 */
function* handOverControl(
  input: { readonly selfRegion: string; readonly region: string; readonly position: number },
  context: TransactionContext,
): Steps<ControlRow> {
  const last = yield* lastControlRow()
  if (last === undefined || (yield* homeRegion()) !== input.selfRegion) throw new NotControlHome()
  if (last.position !== input.position) {
    throw new S3Error('OperationAborted', {
      message: `Region ${input.region} lacks ${last.position - input.position} rows of the control log.`,
    })
  }
  const row = setHomeRow(last, { region: input.region, epoch: last.epoch + 1 })
  yield* insertAndApply(row, input.selfRegion, context)
  return row
}

/** Without the old home: this region makes itself home, on the rows it has. @throws S3Error OperationAborted when its rows are of that epoch already */
function* takeOverControl(input: { readonly selfRegion: string; readonly epoch: number }, context: TransactionContext): Steps<ControlRow> {
  const last = yield* lastControlRow()
  if (last === undefined || last.epoch >= input.epoch) {
    throw new S3Error('OperationAborted', { message: 'The control log has changed meanwhile. Try again.' })
  }
  const row = setHomeRow(last, { region: input.selfRegion, epoch: input.epoch })
  yield* insertAndApply(row, input.selfRegion, context)
  return row
}

export const controlPromotions = { handOverControl, takeOverControl } as const

function setHomeRow(last: ControlRow, { region, epoch }: { readonly region: string; readonly epoch: number }): ControlRow {
  return signedRow({
    position: last.position + 1,
    epoch,
    // NOTE: of the row before, and not of this moment: see above.
    timeMs: last.timeMs,
    requestId: `set-home:${region}:${epoch}`,
    change: { kind: 'setHome', region },
    previousHash: last.hash,
  })
}
