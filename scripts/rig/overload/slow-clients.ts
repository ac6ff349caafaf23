/** Connections that cost a server more than they bring: half a head, half a body, an answer that nobody takes; each a byte a second. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encodePath, signRequest } from '../../../test/limits/signer.ts'
import { headBytes } from '../../../test/limits/wire.ts'

export interface SlowOptions {
  readonly port: number
  readonly bucket: string
  /** An object that is larger than what the system keeps for a connection. */
  readonly largeKey: string
  readonly count: number
}

const everyMs = 1000
const uploadBytes = 1024 * 1024
const opensAtOnce = 50

export class SlowClients {
  readonly #sockets: Socket[] = []
  #timer: NodeJS.Timeout | undefined

  /** Resolves when all are connected, or refused. */
  async open(options: SlowOptions): Promise<void> {
    for (let n = 0; n < options.count; n += opensAtOnce) {
      await Promise.all(Array.from({ length: Math.min(opensAtOnce, options.count - n) }, (_, i) => this.#open(options, n + i)))
    }
    this.#timer = setInterval(() => {
      for (const socket of this.#sockets) if (socket.writable && !socket.isPaused()) socket.write('x')
    }, everyMs)
  }

  get connected(): number {
    return this.#sockets.filter((socket) => !socket.closed && !socket.destroyed).length
  }

  close(): void {
    clearInterval(this.#timer)
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async #open({ port, bucket, largeKey }: SlowOptions, n: number): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => socket.destroy())
    this.#sockets.push(socket)
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined)
    if (n % 3 === 0) {
      socket.resume()
      const signed = signRequest({ method: 'PUT', path: encodePath(bucket, `slow-${n}`) })
      socket.write(headBytes('PUT', signed, [['content-length', String(uploadBytes)]]))
      socket.write(Buffer.alloc(uploadBytes / 4))
    } else if (n % 3 === 1) {
      const signed = signRequest({ method: 'GET', path: encodePath(bucket, largeKey) })
      socket.write(headBytes('GET', signed, []))
      socket.pause()
    } else {
      socket.resume()
      socket.write('GET /slow HTTP/1.1\r\nx-slow: ')
    }
  }
}
