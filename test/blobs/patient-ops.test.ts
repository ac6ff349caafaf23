/** A disk that takes no writes keeps nobody from reading. */
import { describe, expect, it } from 'vitest'
import { nodeFileOps } from '../../src/blobs/file-ops.ts'
import { patientOps } from '../../src/blobs/patient-ops.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('calls that change the disk', () => {
  it('wait for each other beyond a number, in order, also when one fails', async () => {
    const begun: number[] = []
    const ends: ((error?: Error) => void)[] = []
    const ops = patientOps(
      {
        ...nodeFileOps,
        fdatasync: (fd) => {
          begun.push(fd)
          return new Promise((resolve, reject) => ends.push((error) => (error === undefined ? resolve() : reject(error))))
        },
      },
      2,
    )
    const results = [1, 2, 3, 4].map((fd) => ops.fdatasync(fd).catch((error: Error) => error.message))
    await settled()
    expect(begun).toEqual([1, 2])
    ends[1]?.(new Error('EIO'))
    await settled()
    expect(begun).toEqual([1, 2, 3])
    ends[0]?.()
    await settled()
    expect(begun).toEqual([1, 2, 3, 4])
    for (const end of ends) end()
    expect(await Promise.all(results)).toEqual([undefined, 'EIO', undefined, undefined])
  })

  it('keep no read waiting', async () => {
    const never = new Promise<never>(() => undefined)
    const ops = patientOps({ ...nodeFileOps, write: () => never, stat: async () => ({ sizeBytes: 1, modifiedMs: 1 }) }, 1)
    void ops.write(0, new Uint8Array(1), 0)
    expect(await ops.stat('/')).toEqual({ sizeBytes: 1, modifiedMs: 1 })
  })
})
