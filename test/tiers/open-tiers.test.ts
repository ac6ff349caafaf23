import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TierMissing, TierRefused, TierUnavailable } from '../../src/tiers/errors.ts'
import { openTiers, type TiersConfig } from '../../src/tiers/open-tiers.ts'
import type { TierStore, Tiers } from '../../src/tiers/store.ts'
import { gathered, inPieces, textBytes } from './bytes.ts'

const log = { warn: () => {}, info: () => {} }
const signal = new AbortController().signal
const bytes = textBytes(3_000_000)

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-tiers-'))
  await mkdir(join(folder, 'data'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function open(config: Partial<TiersConfig> = {}, boot = 1): Promise<Tiers> {
  return openTiers({ region: 'us-east-1', dataDirectory: join(folder, 'data'), tiers: [], reserveBytes: 1, ...config }, { boot, log })
}

async function put(tiers: Tiers, tier: TierStore | undefined): Promise<string> {
  if (tier === undefined) throw new Error('no tier')
  const ref = tiers.newRef(tier)
  await tier.write(inPieces(bytes), { ref, lengthBytes: bytes.length, encrypt: false, signal })
  return ref
}

const read = (tiers: Tiers, ref: string): Promise<Buffer> => gathered(tiers.tierOf(ref).read(ref, { lengthBytes: bytes.length, signal }))

const slow = (path = 'slow'): TiersConfig['tiers'][number] => ({
  name: 'slow',
  classes: ['STANDARD_IA', 'GLACIER'],
  folder: join(folder, path),
})

describe('the tiers of a region', () => {
  it('send each class where the configuration says, and archives that it does not name to the built-in one', async () => {
    const tiers = await open({ tiers: [slow()] })
    expect(tiers.tierFor('GLACIER')?.name).toBe('slow')
    expect(tiers.tierFor('STANDARD_IA')?.name).toBe('slow')
    expect(tiers.tierFor('DEEP_ARCHIVE')?.name).toBe('cold')
    expect(tiers.tierFor('GLACIER_IR')?.name).toBe('cold')
    expect(tiers.tierFor('STANDARD')).toBeUndefined()
    expect(tiers.tierFor('ONEZONE_IA')).toBeUndefined()
    expect(tiers.all.map(({ name }) => name)).toEqual(['slow', 'cold'])
  })

  it('make the built-in folder when something comes to it, and compress what is there', async () => {
    const tiers = await open()
    expect(await readdir(join(folder, 'data'))).toEqual([])
    const ref = await put(tiers, tiers.tierFor('GLACIER'))
    expect(ref).toMatch(/^tcold\.00000001-[0-9a-f]{32}$/)
    expect(await read(tiers, ref)).toEqual(bytes)
    const again = await open({}, 2)
    expect(await read(again, ref)).toEqual(bytes)
  })

  it('refuse refs of a tier that is no longer configured', async () => {
    const tiers = await open({ tiers: [slow()] })
    const ref = await put(tiers, tiers.tierFor('GLACIER'))
    const without = await open()
    expect(() => without.tierOf(ref)).toThrow(TierRefused)
    expect(() => without.tierOf(ref)).toThrow(/slow/)
  })

  it('keep two regions from sharing a folder', async () => {
    await open({ tiers: [slow()] })
    await mkdir(join(folder, 'other'))
    const other = await open({ region: 'eu-west-1', dataDirectory: join(folder, 'other'), tiers: [slow()] })
    expect(other.tierFor('GLACIER')?.status()).toMatchObject({
      state: 'failing',
      reason: expect.stringMatching(/belongs to tier slow of region us-east-1/),
    })
    await expect(put(other, other.tierFor('GLACIER'))).rejects.toThrow(TierRefused)
  })

  it('do not make a folder anew that went away, and work again when it is back', async () => {
    const tiers = await open({ tiers: [slow()] })
    const tier = tiers.tierFor('GLACIER')
    const ref = await put(tiers, tier)
    await rename(join(folder, 'slow'), join(folder, 'away'))
    await mkdir(join(folder, 'slow'))
    for (const one of [tiers, await open({ tiers: [slow()] }, 2)]) {
      await expect(put(one, one.tierFor('GLACIER'))).rejects.toThrow(TierUnavailable)
      await expect(read(one, ref)).rejects.toThrow(TierUnavailable)
      await expect(one.tierOf(ref).remove(ref, signal)).rejects.toThrow(TierUnavailable)
      expect(one.tierFor('GLACIER')?.status()).toMatchObject({ state: 'failing', reason: expect.stringContaining('not mounted') })
    }
    expect(await readdir(join(folder, 'slow'))).toEqual([])
    await rm(join(folder, 'slow'), { recursive: true })
    await rename(join(folder, 'away'), join(folder, 'slow'))
    expect(await read(tiers, ref)).toEqual(bytes)
    expect(tier?.status()).toEqual({ kind: 'folder', place: join(folder, 'slow'), state: 'ok' })
  })

  it('take away what dead writers left, and nothing else', async () => {
    const tiers = await open({ tiers: [slow()] }, 5)
    const ref = await put(tiers, tiers.tierFor('GLACIER'))
    const tmp = join(folder, 'slow', 'tmp')
    const names = ['00000004', '00000006', '00000007'].map((boot) => `${boot}-${'a'.repeat(32)}`)
    for (const name of [...names, 'not-ours']) await writeFile(join(tmp, name), 'x')
    const again = await open({ tiers: [slow()] }, 6)
    expect((await readdir(tmp)).sort()).toEqual([...names.slice(1), 'not-ours'])
    expect(await read(again, ref)).toEqual(bytes)
  })

  it('free a blob, and call an absent one no error', async () => {
    const tiers = await open()
    const ref = await put(tiers, tiers.tierFor('GLACIER'))
    await tiers.tierOf(ref).remove(ref, signal)
    await tiers.tierOf(ref).remove(ref, signal)
    await expect(read(tiers, ref)).rejects.toThrow(TierMissing)
  })
})
