/** Bad days of the disk behind a folder tier. Needs root: it mounts small disks. */
import { spawnSync } from 'node:child_process'
import { randomBytes as randomId } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tierRef } from '../../src/model/tier-refs.ts'
import { TierFull, TierRefused, TierUnavailable } from '../../src/tiers/errors.ts'
import { SlowDisk } from '../../src/tiers/slow-disk.ts'
import type { TierStore } from '../../src/tiers/store.ts'
import { openFolderBench, testTier } from './bench.ts'
import { digestOf, gathered, inPieces, randomBytes } from './bytes.ts'

const mib = 1024 * 1024
const signal = new AbortController().signal
const bytes = randomBytes(3 * mib)

const newRef = (): string => tierRef(testTier, { boot: 1, randomId: randomId(16).toString('hex') })

async function put(tier: TierStore, content = bytes): Promise<string> {
  const ref = newRef()
  await tier.write(inPieces(content), { ref, lengthBytes: content.length, encrypt: false, signal })
  return ref
}

const read = (tier: TierStore, ref: string): Promise<Buffer> => gathered(tier.read(ref, { lengthBytes: bytes.length, signal }))

const canMount = tryMount()
if (!canMount)
  process.stdout.write('SKIPPED: test/tiers/folder-faults.test.ts fills and locks a small tmpfs, and only root may mount one.\n')

describe.skipIf(!canMount)('a small disk of its own (needs root)', () => {
  let disk: string
  let bench: Awaited<ReturnType<typeof openFolderBench>>
  let tier: TierStore

  const mount = (...options: readonly string[]): void => void spawnSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', disk])
  const umount = (): void => void spawnSync('umount', ['--lazy', disk])
  const filesIn = (folder: string): readonly string[] => readdirSync(join(disk, folder), { recursive: true }).map(String)

  beforeEach(async () => {
    disk = mkdtempSync(join(tmpdir(), 'farshore-disk-'))
    mount('size=12m')
    bench = await openFolderBench({ folder: disk, reserveBytes: mib })
    tier = await bench.open()
  })
  afterEach(async () => {
    umount()
    rmSync(disk, { recursive: true, force: true })
    await bench.close()
  })

  it('that is full says so, keeps what it has, leaves nothing half, and takes more when there is room', async () => {
    const refs = [await put(tier), await put(tier)]
    await expect(put(tier, randomBytes(20 * mib))).rejects.toThrow(TierFull)
    refs.push(await put(tier))
    const error: unknown = await put(tier).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(TierFull)
    expect(tier.status()).toMatchObject({ kind: 'folder', place: disk, state: 'failing', reason: expect.stringContaining(testTier) })
    expect(filesIn('tmp')).toEqual([])
    expect(await bench.refs()).toHaveLength(3)
    for (const ref of refs) expect(digestOf(await read(tier, ref))).toBe(digestOf(bytes))
    await tier.remove(refs[0] ?? '', signal)
    await put(tier)
    expect(tier.status().state).toBe('ok')
  })

  it('keeps what the reserve asks for', async () => {
    writeFileSync(join(disk, 'filler'), Buffer.alloc(11.2 * mib))
    await expect(put(tier, randomBytes(1000))).rejects.toThrow(/less than 1048576 bytes are free/)
  })

  it('that became read-only refuses writes and removals, and still gives what it has', async () => {
    const ref = await put(tier)
    spawnSync('mount', ['-o', 'remount,ro', disk])
    await expect(put(tier)).rejects.toThrow(TierRefused)
    await expect(put(tier)).rejects.toThrow(/EROFS/)
    await expect(tier.remove(ref, signal)).rejects.toThrow(TierRefused)
    expect(digestOf(await read(tier, ref))).toBe(digestOf(bytes))
    spawnSync('mount', ['-o', 'remount,rw', disk])
    await tier.remove(ref, signal)
  })

  it('that is not mounted is not replaced by the folder below it', async () => {
    const ref = await put(tier)
    umount()
    const again = await bench.open({ boot: 2 })
    expect(again.status()).toMatchObject({ state: 'failing', reason: expect.stringContaining('not mounted') })
    for (const one of [tier, again]) {
      await expect(put(one)).rejects.toThrow(TierUnavailable)
      await expect(read(one, ref)).rejects.toThrow(TierUnavailable)
      await expect(one.remove(ref, signal)).rejects.toThrow(TierUnavailable)
    }
    expect(readdirSync(disk)).toEqual([])
  })
})

describe('a disk that hangs', () => {
  const never = (): Promise<never> => new Promise(() => undefined)

  it('is unavailable after a while, and takes no more than a few calls with it', async () => {
    const disk = new SlowDisk({ tier: 'slow', patienceMs: 50 })
    let begun = 0
    const call = (): Promise<never> =>
      disk.call(
        () => {
          begun += 1
          return never()
        },
        { doing: 'read x' },
      )
    const errors = await Promise.all(Array.from({ length: 20 }, () => call().catch((error: unknown) => error)))
    expect(errors.every((error) => error instanceof TierUnavailable)).toBe(true)
    expect(String(errors[0])).toContain('the disk does not answer')
    expect(begun).toBe(4)
  })

  it('does not keep a caller who gives up', async () => {
    const giving = new AbortController()
    const call = new SlowDisk({ tier: 'slow' }).call(never, { doing: 'read x', signal: giving.signal })
    giving.abort(new Error('nobody waits'))
    await expect(call).rejects.toThrow('nobody waits')
  })

  it('gives a descriptor back that came too late', async () => {
    let late: string | undefined
    let open: (name: string) => void = () => undefined
    const call = new SlowDisk({ tier: 'slow', patienceMs: 10 }).call(() => new Promise<string>((resolve) => (open = resolve)), {
      doing: 'open x',
      tooLate: async (name) => {
        late = name
      },
    })
    await expect(call).rejects.toThrow(TierUnavailable)
    open('x')
    await new Promise((resolve) => setImmediate(resolve))
    expect(late).toBe('x')
  })
})

describe('a folder that cannot be had', () => {
  it.each([
    ['a file', 'file', /ENOTDIR|EEXIST/],
    ['below a file', 'file/below', /ENOTDIR/],
  ])('because it is %s is refused by name', async (_, path, said) => {
    const root = mkdtempSync(join(tmpdir(), 'farshore-none-'))
    writeFileSync(join(root, 'file'), 'x')
    const bench = await openFolderBench({ folder: join(root, path) })
    const tier = await bench.open()
    expect(tier.status()).toMatchObject({ state: 'failing', reason: expect.stringMatching(said) })
    await expect(put(tier)).rejects.toThrow(TierRefused)
    await bench.close()
    rmSync(root, { recursive: true })
  })

  it('because what is known of it is damaged is refused, and the mark is left alone', async () => {
    const bench = await openFolderBench()
    await put(await bench.open())
    const mark = readFileSync(join(bench.folder, 'farshore-tier.json'), 'utf8')
    const known = join(bench.folder, '..', 'us-east-1', `${testTier}.json`)
    expect(JSON.parse(readFileSync(known, 'utf8'))).toEqual(JSON.parse(mark))
    writeFileSync(known, 'not JSON')
    const tier = await bench.open()
    await expect(put(tier)).rejects.toThrow(/is not what this server wrote/)
    // What lies in the tier says what belongs here: this is how an operator gives it back.
    writeFileSync(known, mark)
    await put(tier)
    expect(readFileSync(join(bench.folder, 'farshore-tier.json'), 'utf8')).toBe(mark)
    await bench.close()
  })
})

function tryMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const probe = mkdtempSync(join(tmpdir(), 'farshore-probe-'))
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe]).status === 0
  if (isMounted) spawnSync('umount', [probe])
  rmSync(probe, { recursive: true, force: true })
  return isMounted
}
