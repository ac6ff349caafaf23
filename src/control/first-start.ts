/** Decides, before the first row, who is home. From then on the log says it. */
import type { ControlLog } from './control-log.ts'
import type { ControlWatch } from './watch.ts'

/** A region that is away at a first start is not waited for: most often all of them start together. */
const askTimeoutMs = 3_000

/**
 * The first region of the configuration becomes home, unless another region has rows already: then it is new among old ones, or it was
 * home and has lost its data. All others wait for its first row. One that is home by its own rows asks too: another may have been made home
 * while it was away, and it is not to write before it knows.
 */
export async function beginControl(parts: {
  readonly log: ControlLog
  readonly watch: ControlWatch
  readonly first: string
}): Promise<void> {
  const { log, watch, first } = parts
  if (log.position > 0 && !log.isHome) return
  log.assumeHome(first)
  if (log.home !== log.self) return
  const said = await watch.ask(AbortSignal.timeout(askTimeoutMs))
  if (log.position > 0) return
  const [older] = [...said].filter(([, { position }]) => position > 0).sort(([, a], [, b]) => b.epoch - a.epoch || b.position - a.position)
  if (older === undefined) {
    await log.append({ requestId: `set-home:${log.self}`, change: { kind: 'setHome', region: log.self } })
    return
  }
  const [region, { home, position }] = older
  if (home !== log.self) return
  log.stop(
    `this region kept the control log and has lost it, while ${region} still has ${position} rows; restore the data of this region, or make another home: farshore regions promote NAME --force`,
  )
}
