/** What this machine can do at best, measured in the same run: figures of a server mean little without them. */
import { createHash } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { payload, smallBytes } from './payload.ts'

export interface Ceilings {
  /** 4 KiB appended and synced, one after the other, in the data folder. */
  readonly fdatasyncPerSecond: number
  readonly sequentialWriteMibPerSecond: number
  readonly md5MibPerSecond: number
  readonly sha256MibPerSecond: number
}

const mib = 1024 * 1024
const eachMs = 500

/** @param diskMiB  how much is written to see the disk's speed, with its sync at the end */
export function measureCeilings(folder: string, diskMiB: number): Ceilings {
  const bytes = payload(mib)
  return {
    fdatasyncPerSecond: withFile(folder, (file) =>
      perSecond(() => {
        writeSync(file, bytes, 0, smallBytes)
        fdatasyncSync(file)
      }),
    ),
    sequentialWriteMibPerSecond: withFile(folder, (file) => {
      const begin = performance.now()
      for (let written = 0; written < diskMiB; written++) writeSync(file, bytes)
      fdatasyncSync(file)
      return (1000 * diskMiB) / (performance.now() - begin)
    }),
    md5MibPerSecond: hashRate('md5', bytes),
    sha256MibPerSecond: hashRate('sha256', bytes),
  }
}

function hashRate(name: string, bytes: Buffer): number {
  const hasher = createHash(name)
  return perSecond(() => hasher.update(bytes)) * (bytes.length / mib)
}

function perSecond(work: () => void): number {
  const begin = performance.now()
  let done = 0
  while (performance.now() < begin + eachMs) {
    work()
    done += 1
  }
  return (1000 * done) / (performance.now() - begin)
}

function withFile(folder: string, work: (file: number) => number): number {
  const path = join(folder, `farshore-bench-${process.pid}.tmp`)
  const file = openSync(path, 'wx')
  try {
    return work(file)
  } finally {
    closeSync(file)
    rmSync(path)
  }
}
