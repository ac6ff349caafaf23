/**
 * Whose a folder or bucket is. The tier carries a mark with the region's name and an id of chance; the region keeps the same id in its data folder. A
 * mark of another id is another region's place. No mark where there was one is a disk that is not mounted: it is not made anew.
 */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { TierRefused, TierUnavailable } from './errors.ts'
import { makeFolder, readIfThere, writeSmallFile } from './small-file.ts'

export const markName = 'farshore-tier.json'

const markSchema = z.object({
  tier: z.string(),
  region: z.string(),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** In the data folder alone: the mark may not have been made yet. */
  isNew: z.boolean().default(false),
})
type Mark = z.output<typeof markSchema>

/** How a kind of tier keeps its mark. */
export interface MarkPlace {
  read(): Promise<string | undefined>
  /** Prepares the place, and leaves a mark that is already there as it is. */
  make(text: string): Promise<void>
}

export class Claim {
  readonly #of: { readonly tier: string; readonly region: string; readonly place: string }
  readonly #folder: string

  /** @param of.folder  where the region keeps its ids, below its data folder */
  constructor({ folder, ...of }: { readonly tier: string; readonly region: string; readonly place: string; readonly folder: string }) {
    this.#of = of
    this.#folder = folder
  }

  /** Whether this region has ever used the tier. */
  async isMade(): Promise<boolean> {
    return (await this.#kept()) !== undefined
  }

  /** @throws TierRefused (another's) | TierUnavailable (the mark is gone); what `mark` throws */
  async prove(mark: MarkPlace): Promise<void> {
    const kept = (await this.#kept()) ?? (await this.#begin())
    let found = await mark.read()
    if (found === undefined) {
      if (!kept.isNew) throw this.#vanished()
      await mark.make(markOf(kept))
      found = await mark.read()
    }
    this.#judge(kept, found)
    if (kept.isNew) await this.#local(() => writeSmallFile(this.#file, markOf(kept), { replace: true }))
  }

  get #file(): string {
    return `${this.#folder}/${this.#of.tier}.json`
  }

  async #kept(): Promise<Mark | undefined> {
    const text = await this.#local(() => readIfThere(this.#file))
    if (text === undefined) return undefined
    const kept = parsed(text)
    if (kept === undefined) throw new TierRefused(`Tier ${this.#of.tier}: ${this.#file} is not what this server wrote`)
    return kept
  }

  async #begin(): Promise<Mark> {
    const { tier, region } = this.#of
    const text = textOf({ tier, region, id: randomBytes(16).toString('hex'), isNew: true })
    await this.#local(() => makeFolder(this.#folder))
    await this.#local(() => writeSmallFile(this.#file, text, { replace: false }))
    // Another thread may have been first.
    const kept = await this.#kept()
    if (kept === undefined) throw new TierRefused(`Tier ${tier}: ${this.#file} went away`)
    return kept
  }

  async #local<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      throw new TierUnavailable(`Tier ${this.#of.tier}: what is known of it can not be kept in ${this.#file}: ${String(cause)}`, { cause })
    }
  }

  #vanished(): TierUnavailable {
    const { tier, place } = this.#of
    return new TierUnavailable(
      `Tier ${tier}: ${place} does not hold ${markName}, which this region left there: it is another place, or not mounted`,
    )
  }

  #judge(kept: Mark, text: string | undefined): void {
    const { tier, region, place } = this.#of
    if (text === undefined) throw this.#vanished()
    const mark = parsed(text)
    if (mark?.id === kept.id) return
    const whose =
      mark === undefined
        ? 'something else'
        : `tier ${mark.tier} of region ${mark.region}${mark.region === region ? ' with another data directory' : ''}`
    throw new TierRefused(`Tier ${tier}: ${place} belongs to ${whose}, as ${markName} there says`)
  }
}

/** As it lies in the tier. */
function markOf({ tier, region, id }: Mark): string {
  return textOf({ tier, region, id })
}

function textOf(mark: z.input<typeof markSchema>): string {
  return `${JSON.stringify(mark)}\n`
}

function parsed(text: string): Mark | undefined {
  try {
    return markSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
