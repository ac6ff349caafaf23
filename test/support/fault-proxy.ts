/** The network to one region under the hand of a test: TCP, byte for byte, until told otherwise. Its port stays while the region comes and goes. */
import { connect, createServer, type Server, type Socket } from 'node:net'

/** `pattern` finds the request that is meant, in its first bytes. */
export type Weather =
  | { readonly kind: 'up' | 'hang' | 'refuse' }
  | { readonly kind: 'answer503'; readonly pattern: RegExp }
  /** The request goes nowhere, and the connection stays open. */
  | { readonly kind: 'swallow'; readonly pattern: RegExp; readonly times: number }
  /** The proxy answers in the region's place, byte for byte. */
  | { readonly kind: 'answer'; readonly pattern: RegExp; readonly times: number; readonly text: string }
  /** So many bytes of the answer pass, its head counted in; then the connection breaks, or stays open and says no more. */
  | { readonly kind: 'cutAnswer'; readonly pattern: RegExp; readonly times: number; readonly bytes: number; readonly hangs?: boolean }
  /** The request is read no further than its first bytes. */
  | { readonly kind: 'stall'; readonly pattern: RegExp; readonly times: number }
  /** The answer comes byte by byte. */
  | { readonly kind: 'trickle'; readonly pattern: RegExp; readonly times: number; readonly everyMs: number }
  /** The region does what it was asked, and nobody hears of it. */
  | { readonly kind: 'dropAnswer'; readonly pattern: RegExp; readonly times: number }
  /**
   * So many bytes of the request pass, its head counted in, and then the connection breaks. Negative: all but so many of the request's last.
   * It strikes when something was held back, not when a request merely looked like it.
   */
  | { readonly kind: 'cut'; readonly pattern: RegExp; readonly bytes: number; readonly times: number }

export class FaultProxy {
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  readonly port: number
  #target: number
  #weather: Weather = { kind: 'up' }
  /** How often the weather struck. */
  struck = 0
  /** Bytes towards the region. */
  sentBytes = 0

  private constructor(server: Server, port: number, target: number) {
    this.#server = server
    this.port = port
    this.#target = target
  }

  /** @param target  the port of the region behind */
  static async open(target: number): Promise<FaultProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
    const proxy = new FaultProxy(server, address.port, target)
    server.on('connection', (socket) => proxy.#carry(socket))
    return proxy
  }

  set(weather: Weather): void {
    this.#weather = weather
    this.struck = 0
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #carry(near: Socket): void {
    this.#keep(near)
    if (this.#weather.kind === 'refuse') return void near.destroy()
    if (this.#weather.kind === 'hang') return
    const far = connect(this.#target, '127.0.0.1')
    this.#keep(far)
    let isDeaf = false
    let isMute = false
    let left = Number.POSITIVE_INFINITY
    let answerLeft = Number.POSITIVE_INFINITY
    let hangs = false
    let everyMs = 0
    near.on('data', (bytes: Buffer) => {
      if (isMute) return
      const weather = this.#meets(bytes)
      if (endsHere(near, weather)) {
        isMute = true
        return
      }
      if (weather?.kind === 'cutAnswer') {
        answerLeft = weather.bytes
        hangs = weather.hangs ?? false
      }
      if (weather?.kind === 'trickle') everyMs = weather.everyMs
      isDeaf ||= weather?.kind === 'dropAnswer'
      isMute ||= weather?.kind === 'swallow'
      if (isMute) return
      if (weather?.kind === 'cut') left = weather.bytes < 0 ? requestBytes(bytes) + weather.bytes : weather.bytes
      const passing = bytes.subarray(0, left)
      left -= passing.length
      this.sentBytes += passing.length
      far.write(passing)
      if (passing.length === bytes.length) return
      isMute = true
      this.struck += 1
      far.end(() => near.destroy())
    })
    far.on('data', (bytes: Buffer) => {
      if (isDeaf) return void near.destroy()
      if (everyMs > 0) return void trickle(near, far, { bytes, everyMs })
      near.write(bytes.subarray(0, answerLeft))
      answerLeft = Math.max(0, answerLeft - bytes.length)
      if (answerLeft === 0 && !hangs && !near.writableEnded) near.destroySoon()
    })
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  }

  /** The weather, when it is meant for the request that begins with these bytes. */
  #meets(bytes: Buffer): (Weather & { readonly pattern: RegExp }) | undefined {
    const weather = this.#weather
    if (!('pattern' in weather) || !weather.pattern.test(bytes.toString('latin1'))) return undefined
    if ('times' in weather && this.struck >= weather.times) return undefined
    if (weather.kind !== 'cut') this.struck += 1
    return weather
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}

/** Whether the request goes no further than to the proxy, which has then done what the weather says. */
function endsHere(near: Socket, weather: Weather | undefined): boolean {
  switch (weather?.kind) {
    case 'answer503':
      near.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      return true
    case 'answer':
      near.end(weather.text)
      return true
    case 'stall':
      near.pause()
      return true
    default:
      return false
  }
}

async function trickle(near: Socket, far: Socket, { bytes, everyMs }: { bytes: Buffer; everyMs: number }): Promise<void> {
  far.pause()
  for (let at = 0; at < bytes.length && near.writable; at++) {
    near.write(bytes.subarray(at, at + 1))
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  far.resume()
}

/** Of a request whose first bytes these are: its head and what it says that follows. */
function requestBytes(bytes: Buffer): number {
  const headBytes = bytes.indexOf('\r\n\r\n') + 4
  const length = /^content-length: *(\d+)/im.exec(bytes.toString('latin1', 0, headBytes))?.[1]
  if (headBytes < 4 || length === undefined) throw new Error('a request whose length the proxy cannot tell')
  return headBytes + Number(length)
}
