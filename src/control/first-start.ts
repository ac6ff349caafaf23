/** Decides, before the first row, who is home. From then on the log says it. */
import type { Peers } from '../peers/peers.ts'
import type { ControlLog } from './control-log.ts'
import { rowsPath } from './home.ts'
import { rowsAnswerSchema } from './messages.ts'

/** A region that is away at a first start is not waited for: most often all of them start together. */
const askTimeoutMs = 3_000

/**
 * The first region of the configuration becomes home, unless another region has rows already: then it is new among old ones, or it was
 * home and has lost its data. All others wait for its first row.
 */
export async function beginControl(parts: { readonly log: ControlLog; readonly peers: Peers; readonly first: string }): Promise<void> {
  const { log, peers, first } = parts
  if (log.position > 0) return
  log.assumeHome(first)
  if (first !== log.self) return
  const older = await findOlder(peers)
  if (older === undefined) {
    await log.append({ requestId: `set-home:${log.self}`, change: { kind: 'setHome', region: log.self } })
  } else if (older.home === log.self) {
    log.stop(
      `this region kept the control log and has lost it, while ${older.region} still has ${older.position} rows; restore the data of this region`,
    )
  } else {
    log.assumeHome(older.home)
  }
}

interface Older {
  readonly region: string
  readonly home: string
  readonly position: number
}

async function findOlder(peers: Peers): Promise<Older | undefined> {
  const signal = AbortSignal.timeout(askTimeoutMs)
  const answers = await Promise.all(
    peers.all.map(async (peer): Promise<Older | undefined> => {
      try {
        const answer = await peer.request({ method: 'GET', path: rowsPath, query: { after: 0, hash: '', waitMs: 0 }, signal })
        const said = answer.json(rowsAnswerSchema)
        return said.outcome === 'rows' && said.position > 0 ? { region: peer.region, home: said.home, position: said.position } : undefined
      } catch {
        return undefined
      }
    }),
  )
  return answers.filter((answer) => answer !== undefined).sort((a, b) => b.position - a.position)[0]
}
