/** Those who wait for the journal to grow. */
import { S3Error } from '../../model/errors.ts'

/** One for each engine and peer, with room. */
const followersMax = 1_000

interface Follower {
  readonly seq: number
  resolve(durable: number): void
  reject(reason: unknown): void
}

export class Followers {
  readonly #followers = new Set<Follower>()

  /** @throws what `signal` was aborted with; S3Error SlowDown when too many wait */
  wait(seq: number, signal: AbortSignal): Promise<number> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.#followers.size >= followersMax) return Promise.reject(new S3Error('SlowDown'))
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#followers.delete(follower)
        signal.removeEventListener('abort', aborted)
      }
      const follower: Follower = {
        seq,
        resolve(durable) {
          end()
          resolve(durable)
        },
        reject(reason) {
          end()
          reject(reason)
        },
      }
      const aborted = (): void => follower.reject(signal.reason)
      signal.addEventListener('abort', aborted, { once: true })
      this.#followers.add(follower)
    })
  }

  reached(durable: number): void {
    for (const follower of [...this.#followers]) if (follower.seq < durable) follower.resolve(durable)
  }

  end(reason: Error): void {
    for (const follower of [...this.#followers]) follower.reject(reason)
  }
}
