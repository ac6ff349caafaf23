/** Where the other regions stand with the log, as they have said since this one started. */
import { Bell } from './bell.ts'

export class Standings {
  readonly #positions = new Map<string, number>()
  readonly #proven = new Map<string, number>()
  readonly #bell = new Bell()

  /** The region has said it of itself. */
  heard(region: string, position: number): void {
    this.#positions.set(region, position)
  }

  /** The region's row at that position is this region's. */
  proven(region: string, position: number): void {
    this.heard(region, position)
    this.#proven.set(region, position)
    this.#bell.ring()
  }

  /** Of the region that is furthest behind; 0 while one of them was not heard yet. */
  slowest(regions: readonly string[]): number {
    return Math.min(...regions.map((region) => this.#positions.get(region) ?? 0))
  }

  provenOf(region: string): number | undefined {
    return this.#proven.get(region)
  }

  /** Resolves when the region is proven to have reached what `position` answers then; rejects when `signal` aborts. One at a time. */
  async untilReached(region: string, position: () => number, signal: AbortSignal): Promise<void> {
    while ((this.#proven.get(region) ?? -1) < position()) await this.#bell.wait(signal)
  }
}
