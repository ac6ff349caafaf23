/** Orders to the shim in a running region, and what it says of them: a page of a file that both have. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'

/** NOTE: the order is shim.c's. */
const hows = ['none', 'EIO', 'ENOSPC', 'short', 'kill', 'torn', 'full', 'slow', 'hang', 'readonly'] as const
/**
 * EIO, ENOSPC: that one call fails · short: a write takes half · kill: the process dies before the call · torn: it dies after the call, a write half
 * done · full: from that call on whatever takes space fails · slow: from that call on each write and sync takes a second · hang: from that call on
 * they wait until it is disarmed · readonly: from that call on whatever changes the folder fails
 */
export type How = (typeof hows)[number]

/** W write, S sync, C create, T truncate, R rename, L link, U unlink, D rmdir, M mkdir. */
export type CallKind = 'W' | 'S' | 'C' | 'T' | 'R' | 'L' | 'U' | 'D' | 'M'

export interface Fault {
  /** Which call of those that count, from 1. */
  readonly at: number
  readonly how: How
  /** Only calls of this kind count. */
  readonly kind?: CallKind
  /** Only calls on paths that end so count; or that have it in them, when it ends with a slash. */
  readonly match?: string
}

export interface Hit {
  readonly kind: CallKind
  readonly path: string
  /** Answers to clients that had left by then, since it was armed. */
  readonly answers: number
}

const pageBytes = 4096
const at = { armed: 0, at: 4, how: 8, kind: 12, count: 16, answers: 20, hit: 24, answersAtHit: 28, hitKind: 32, match: 64, hitPath: 128 }
const matchMaxBytes = 64
const hitPathMaxBytes = 512

export class ShimControl {
  readonly file: string
  readonly #fd: number

  constructor(file: string) {
    this.file = file
    this.#fd = openSync(file, 'w+', 0o600)
    writeSync(this.#fd, Buffer.alloc(pageBytes), 0, pageBytes, 0)
  }

  /** Counts from here on; without a fault it only counts. */
  arm(fault: Fault = { at: 0, how: 'none' }): void {
    this.disarm()
    const page = Buffer.alloc(pageBytes)
    page.writeUInt32LE(fault.at, at.at)
    page.writeUInt32LE(hows.indexOf(fault.how), at.how)
    page.writeUInt32LE(fault.kind?.charCodeAt(0) ?? 0, at.kind)
    page.write(fault.match ?? '', at.match, matchMaxBytes)
    writeSync(this.#fd, page, 0, pageBytes, 0)
    this.#write(at.armed, 1)
  }

  disarm(): void {
    this.#write(at.armed, 0)
  }

  read(): { readonly count: number; readonly hit: Hit | undefined } {
    const page = Buffer.alloc(pageBytes)
    readSync(this.#fd, page, 0, pageBytes, 0)
    const path = page.toString('utf8', at.hitPath, at.hitPath + hitPathMaxBytes)
    const hit: Hit = {
      kind: String.fromCharCode(page.readUInt32LE(at.hitKind)) as CallKind, // as the shim writes it
      path: path.slice(0, path.indexOf('\0')),
      answers: page.readUInt32LE(at.answersAtHit),
    }
    return { count: page.readUInt32LE(at.count), hit: page.readUInt32LE(at.hit) === 0 ? undefined : hit }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #write(offset: number, value: number): void {
    const word = Buffer.alloc(4)
    word.writeUInt32LE(value)
    writeSync(this.#fd, word, 0, 4, offset)
  }
}
