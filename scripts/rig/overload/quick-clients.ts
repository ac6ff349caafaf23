/** Clients that ask one thing after the other, as fast as they are answered, and wait as long as they are told when they are refused. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '../../../test/limits/client.ts'

export interface Load {
  readonly port: number
  readonly bucket: string
  readonly clients: number
  readonly lastsMs: number
}

export interface LoadReport {
  readonly answered: number
  /** 503 SlowDown with Retry-After. */
  readonly refused: number
  /** Other answers and broken connections, in words, each once. */
  readonly failures: readonly string[]
  readonly perSecond: number
  readonly slowestMs: number
}

const body = Buffer.alloc(1024, 'q')

/** Every other request is a PUT, the others GET what it wrote. */
export async function load({ port, bucket, clients, lastsMs }: Load): Promise<LoadReport> {
  const client = new Client(port, { connections: clients })
  const failures = new Set<string>()
  const startMs = performance.now()
  let answered = 0
  let refused = 0
  let slowestMs = 0
  const one = async (n: number): Promise<void> => {
    for (let asked = 0; performance.now() - startMs < lastsMs; asked++) {
      const method = asked % 2 === 0 ? 'PUT' : 'GET'
      const beganMs = performance.now()
      try {
        const { status, headers } = await client.send({ method, bucket, key: `quick-${n}`, ...(method === 'PUT' ? { body } : {}) })
        slowestMs = Math.max(slowestMs, performance.now() - beganMs)
        // A GET behind a refused first PUT.
        if (status === 200 || (status === 404 && method === 'GET')) answered += 1
        else if (status === 503 && headers['retry-after'] !== undefined) {
          refused += 1
          await sleep(Number(headers['retry-after']) * 1000)
        } else failures.add(`${method} was answered ${status}`)
      } catch (error) {
        failures.add(`${method} was not answered: ${String(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, n) => one(n)))
  const seconds = (performance.now() - startMs) / 1000
  await client.close()
  return { answered, refused, failures: [...failures].slice(0, 20), perSecond: answered / seconds, slowestMs }
}
