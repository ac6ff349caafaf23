import { describe, expect, it } from 'vitest'
import { DiskFull } from '../../src/blobs/errors.ts'
import { Room } from '../../src/blobs/room.ts'

const mib = 1024 * 1024
const reserveBytes = 64 * mib

/** A disk whose free space a test says, and which counts how often it is asked. */
function diskWith(freeBytes: number) {
  const disk = { freeBytes, asked: 0 }
  const ops = {
    async freeBytes(): Promise<number> {
      disk.asked += 1
      return disk.freeBytes
    },
  }
  return { disk, room: new Room({ ops, folder: '/', reserveBytes }) }
}

describe('room on the disk', () => {
  it('is asked for once in a while when there is much', async () => {
    const { disk, room } = diskWith(10 * 1024 * mib)
    for (let n = 0; n < 64; n++) await room.check(mib)
    expect(disk.asked).toBeGreaterThanOrEqual(4)
    expect(disk.asked).toBeLessThan(16)
  })

  it('is asked for each time near the reserve, which no write gets', async () => {
    const { disk, room } = diskWith(reserveBytes + 100 * mib)
    for (let n = 0; n < 10; n++) await room.check(mib)
    expect(disk.asked).toBe(10)
    disk.freeBytes = reserveBytes + mib
    await expect(room.check(mib)).rejects.toThrow(DiskFull)
    disk.freeBytes += 1
    await room.check(mib)
  })

  it('refuses at once what says that it is larger than the rest', async () => {
    const { room } = diskWith(10 * 1024 * mib)
    await room.check(mib)
    await expect(room.check(10 * 1024 * mib)).rejects.toThrow(DiskFull)
  })

  it('notices soon that others have filled the disk', async () => {
    const { disk, room } = diskWith(10 * 1024 * mib)
    await room.check(mib)
    disk.freeBytes = reserveBytes
    const taken = async (): Promise<void> => {
      for (let n = 0; n < 17; n++) await room.check(mib)
    }
    await expect(taken()).rejects.toThrow(DiskFull)
  })
})
