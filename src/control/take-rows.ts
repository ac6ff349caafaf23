/** Takes the rows of another region that has more, in order, until there are none left. */
import type { ControlRow } from '../metadata/tables/control.ts'
import type { Peers } from '../peers/peers.ts'
import type { ControlLog } from './control-log.ts'
import { rowsPath } from './home.ts'
import { isKnown, type RowsAnswer, rowsAnswerSchema } from './messages.ts'
import { fetchSnapshot } from './snapshot.ts'

export interface TakeParts {
  readonly log: ControlLog
  readonly peers: Peers
}

export interface Asking {
  readonly from: string
  /** How long to wait for a row when there is none yet. */
  readonly waitMs: number
  readonly answerTimeoutMs: number
  readonly signal: AbortSignal
}

/** @throws PeerUnreachable | PeerRefused */
export async function askForRows({ log, peers }: TakeParts, { from, waitMs, answerTimeoutMs, signal }: Asking): Promise<RowsAnswer> {
  const query = { after: log.position, hash: log.hash, epoch: log.epoch, waitMs }
  const answer = await peers.to(from).request({ method: 'GET', path: rowsPath, query, answerTimeoutMs, signal })
  return answer.json(rowsAnswerSchema)
}

/** A row of a newer version stops the log: leaving it out would be another history. */
export async function applyKnown(log: ControlLog, rows: readonly ControlRow[]): Promise<void> {
  const unknown = rows.findIndex((row) => !isKnown(row))
  await log.apply(unknown === -1 ? rows : rows.slice(0, unknown))
  const stranger = rows[unknown]
  if (stranger === undefined) return
  log.stop(
    `row ${stranger.position} holds a change that this version does not know (${stranger.change.kind}); run the version that ${log.home} runs`,
  )
}

/** Up to its newest row. @returns why its rows cannot follow those that are here; undefined when all have come @throws PeerUnreachable | PeerRefused */
export async function takeRows(parts: TakeParts, asking: Omit<Asking, 'waitMs'>): Promise<string | undefined> {
  const { log } = parts
  for (;;) {
    const answer = await askForRows(parts, { ...asking, waitMs: 0 })
    switch (answer.outcome) {
      case 'diverged':
        return answer.why
      case 'trimmed':
        await log.replace(await fetchSnapshot(parts, asking))
        break
      case 'rows':
        if (answer.rows.length === 0) return undefined
        await applyKnown(log, answer.rows)
        log.checkRunning()
        break
      default:
        answer satisfies never
    }
  }
}
