/** The network to one region, under the hand of a test: TCP, byte for byte, until told otherwise. Its port stays while the region behind it comes and goes. */
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * `up` · `down`: nobody listens · `hang`: connections are taken and nothing ever comes back ·
 * `drop`: a request that fits `pattern` reaches the region, and the connection breaks when its answer begins
 */
export type Weather = { readonly kind: 'up' | 'down' | 'hang' } | { readonly kind: 'drop'; readonly pattern: RegExp }

export class Link {
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #weather: Weather = { kind: 'up' }
  /** The port of the region behind; undefined while it is down. */
  target: number | undefined
  /** Changes what comes back; the same length out as in. */
  tamper: (answer: Buffer) => Buffer = (answer) => answer
  /** Answers that were dropped. */
  dropped = 0
  /** First lines of the requests that passed, oldest first. */
  readonly requests: string[] = []

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async open(): Promise<void> {
    const server = createServer((socket) => this.#carry(socket))
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the link has no port')
    this.#port = address.port
    this.#server = server
  }

  async set(weather: Weather): Promise<void> {
    this.#weather = weather
    // What hung goes on hanging: better weather is for what comes next.
    if (weather.kind !== 'up') this.cut()
    if (weather.kind === 'down') await this.#unlisten()
    else if (this.#server === undefined) await this.open()
  }

  /** Breaks what is connected. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    await this.#unlisten()
  }

  async #unlisten(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())))
  }

  #carry(near: Socket): void {
    this.#keep(near)
    if (this.#weather.kind === 'hang' || this.target === undefined) {
      if (this.target === undefined) near.destroy()
      return
    }
    const far = connect(this.target, '127.0.0.1')
    this.#keep(far)
    let isDoomed = false
    near.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1')
      const line = /^[A-Z]+ \S+ HTTP/.exec(text)?.[0]
      if (line !== undefined) this.requests.push(line)
      if (this.#weather.kind === 'drop' && this.#weather.pattern.test(text)) isDoomed = true
      far.write(bytes)
    })
    far.on('data', (bytes: Buffer) => {
      if (!isDoomed) {
        near.write(this.tamper(bytes))
        return
      }
      this.dropped += 1
      near.destroy()
    })
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
