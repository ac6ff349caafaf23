/** Asks a region for its health, every 20 ms, on a connection of its own: the longest answer says how long its event loop stood still. */
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const everyMs = 20

export interface Beats {
  readonly slowestMs: number
  readonly count: number
  readonly statuses: readonly number[]
}

export class Pulse {
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  #slowestMs = 0
  #count = 0
  #sentMs: number | undefined
  readonly #statuses = new Set<number>()
  #isOver = false

  constructor(port: number) {
    this.#port = port
    void this.#run()
  }

  /** Since the last call; an answer that is still missing counts with the time it took so far. */
  read(): Beats {
    const pendingMs = this.#sentMs === undefined ? 0 : performance.now() - this.#sentMs
    const beats = { slowestMs: Math.max(this.#slowestMs, pendingMs), count: this.#count, statuses: [...this.#statuses] }
    this.#slowestMs = 0
    this.#count = 0
    this.#statuses.clear()
    return beats
  }

  close(): void {
    this.#isOver = true
    this.#agent.destroy()
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      this.#sentMs = performance.now()
      const status = await this.#beat()
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - this.#sentMs)
      this.#sentMs = undefined
      this.#count += 1
      this.#statuses.add(status)
      await sleep(everyMs)
    }
  }

  /** @returns the status; 0 when there was no answer */
  #beat(): Promise<number> {
    return new Promise((resolve) => {
      const asked = get({ host: '127.0.0.1', port: this.#port, path: '/_health/live', agent: this.#agent }, (answer) => {
        answer.resume().once('close', () => resolve(answer.statusCode ?? 0))
      })
      asked.once('error', () => resolve(0))
    })
  }
}
