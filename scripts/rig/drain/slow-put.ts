/** An upload that takes its time. */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodePath, signRequest } from '../../../test/limits/signer.ts'

export interface SlowPut {
  readonly port: number
  readonly bucket: string
  readonly key: string
  readonly body: Buffer
  /** From the first byte to the last. */
  readonly lastsMs: number
}

export interface SlowPutEnd {
  /** 0: cut without an answer. */
  readonly status: number
  /** When the last byte left, by `performance.now()`; undefined when it never did. */
  readonly sentMs: number | undefined
  /** When the answer or the cut came. */
  readonly endedMs: number
}

export interface RunningPut {
  /** Resolves when the region reads the body, or will never. */
  readonly begun: Promise<void>
  readonly ended: Promise<SlowPutEnd>
}

const pieces = 20

export function beginSlowPut({ port, bucket, key, body, lastsMs }: SlowPut): RunningPut {
  const signed = signRequest({ method: 'PUT', path: encodePath(bucket, key) })
  const headers = { ...Object.fromEntries(signed.headers), 'content-length': String(body.length), expect: '100-continue' }
  const outgoing = request({ host: '127.0.0.1', port, method: 'PUT', path: signed.target, headers, agent: false })
  const begun = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  let status = 0
  let endedMs = 0
  let isOver = false
  const end = (): void => {
    if (!isOver) endedMs = performance.now()
    isOver = true
    begun.resolve()
    over.resolve()
  }
  outgoing.on('continue', () => begun.resolve())
  outgoing.on('response', (answer) => {
    status = answer.statusCode ?? 0
    answer.on('close', end).on('error', end).resume()
  })
  outgoing.on('error', end).on('close', end)
  outgoing.flushHeaders()

  const send = async (): Promise<SlowPutEnd> => {
    await begun.promise
    const pieceBytes = Math.ceil(body.length / pieces)
    for (let at = 0; at < body.length && !isOver && status === 0; at += pieceBytes) {
      await sleep(lastsMs / pieces)
      outgoing.write(body.subarray(at, at + pieceBytes))
    }
    const sentMs = isOver || status !== 0 ? undefined : performance.now()
    outgoing.end()
    await over.promise
    return { status, sentMs, endedMs }
  }
  return { begun: begun.promise, ended: send() }
}
