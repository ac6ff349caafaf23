/** `farshore lifecycle moves`: which bytes are to be elsewhere, why they are not yet, and how the tiers stand. */
import { type AdminApi, type AdminOptions, apisOf, askAll } from './admin-api.ts'
import { type CliContext, type ExitCode, exitCodes } from './context.ts'

interface Page {
  readonly region: string
  readonly tiers: readonly Tier[]
  readonly missingTiers: readonly string[]
  readonly moves: readonly Move[]
  readonly next?: string
}

interface Tier {
  readonly name: string
  readonly kind: string
  readonly place: string
  readonly state: 'ok' | 'failing'
  readonly reason: string | null
}

interface Move {
  readonly bucket: string
  readonly key: string
  readonly versionId: string
  readonly kind: 'store' | 'restore' | 'expire'
  readonly storageClass: string
  readonly bytes: number
  readonly dueAt: string
  readonly attempts: number
  readonly reason: string | null
}

type Region = Omit<Page, 'next'>

/** Exit code 3 when a tier fails, or a move has failed. */
export async function moves(options: AdminOptions, context: CliContext): Promise<ExitCode> {
  const { answers: regions, silent } = await askAll(await apisOf(options, context), movesOf)
  if (options.json) context.out(JSON.stringify({ regions }))
  else for (const line of regions.flatMap(linesOf)) context.out(line)
  for (const { message } of silent) context.err(`farshore: ${message}`)
  if (silent.length > 0) return exitCodes.failed
  const isWell = regions.every(
    (region) =>
      region.missingTiers.length === 0 &&
      region.tiers.every(({ state }) => state === 'ok') &&
      region.moves.every(({ reason }) => reason === null),
  )
  return isWell ? exitCodes.ok : exitCodes.notInSync
}

async function movesOf(api: AdminApi): Promise<Region> {
  let page = await api.get<Page>('/admin/v1/lifecycle/moves')
  const all = [...page.moves]
  while (page.next !== undefined) {
    page = await api.get<Page>(`/admin/v1/lifecycle/moves?after=${page.next}`)
    all.push(...page.moves)
  }
  const { region, tiers, missingTiers } = page
  return { region, tiers, missingTiers, moves: all }
}

function linesOf({ region, tiers, missingTiers, moves }: Region): readonly string[] {
  const standing = tiers.map(
    ({ name, kind, place, state, reason }) =>
      `${region}: tier ${name} (${kind} ${place}): ${state === 'ok' ? 'well' : `failing: ${reason}`}`,
  )
  for (const name of missingTiers)
    standing.push(`${region}: tier ${name} is not in the configuration, and objects are in it: they cannot be read`)
  if (moves.length === 0) return [...standing, `${region}: nothing is to be moved`]
  return [...standing, ...moves.map((move) => `${region}: ${wordsOf(move)}`)]
}

function wordsOf({ bucket, key, versionId, kind, storageClass, bytes, dueAt, attempts, reason }: Move): string {
  const what = {
    store: `is to go to ${storageClass}`,
    restore: `is to be restored from ${storageClass}`,
    expire: 'has a restored copy that is to go',
  }[kind]
  const failed = reason === null ? '' : `; ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} failed: ${reason}`
  return `${bucket}/${key} version ${versionId} (${bytes} bytes) ${what}, due ${dueAt}${failed}`
}
