/** What this machine can do at best, measured in the same run: figures of a server mean little without them. */
import { createHash } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { payload, smallBytes } from './payload.ts'

export interface Ceilings {
  /** 4 KiB appended and synced, one after the other, in the data folder. */
  readonly fdatasyncPerSecond: number
  readonly writtenMibPerSecond: number
  /** From one socket of this process to another. */
  readonly loopbackMibPerSecond: number
  readonly md5MibPerSecond: number
  readonly sha256MibPerSecond: number
}

export type CeilingName = keyof Ceilings

export const ceilingLabels: Readonly<Record<CeilingName, string>> = {
  fdatasyncPerSecond: 'fdatasync/s',
  writtenMibPerSecond: 'MiB/s written',
  loopbackMibPerSecond: 'MiB/s loopback',
  md5MibPerSecond: 'MiB/s MD5',
  sha256MibPerSecond: 'MiB/s SHA-256',
}

const mib = 1024 * 1024
const eachMs = 500

/** @param diskMiB  how much is written to see the disk's speed, with its sync at the end */
export async function measureCeilings(folder: string, diskMiB: number): Promise<Ceilings> {
  const bytes = payload(mib)
  return {
    fdatasyncPerSecond: withFile(folder, (file) =>
      perSecond(() => {
        writeSync(file, bytes, 0, smallBytes)
        fdatasyncSync(file)
      }),
    ),
    writtenMibPerSecond: withFile(folder, (file) => {
      const begin = performance.now()
      for (let written = 0; written < diskMiB; written++) writeSync(file, bytes)
      fdatasyncSync(file)
      return (1000 * diskMiB) / (performance.now() - begin)
    }),
    loopbackMibPerSecond: await loopbackRate(bytes, diskMiB),
    md5MibPerSecond: hashRate('md5', bytes),
    sha256MibPerSecond: hashRate('sha256', bytes),
  }
}

async function loopbackRate(bytes: Buffer, totalMiB: number): Promise<number> {
  const server = createServer(async (socket) => {
    for (let sent = 0; sent < totalMiB; sent++) await new Promise((resolve) => socket.write(bytes, resolve))
    socket.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const begin = performance.now()
  const { port } = server.address() as AddressInfo // it listens on a port
  const buffer = Buffer.alloc(mib)
  await new Promise((resolve, reject) => {
    connect({ port, host: '127.0.0.1', onread: { buffer, callback: () => true } })
      .once('close', resolve)
      .once('error', reject)
  })
  server.close()
  return (1000 * totalMiB) / (performance.now() - begin)
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
