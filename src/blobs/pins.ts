/** Who still reads what. Freeing waits here until the last reader is done. */
export class Pins {
  readonly #held = new Map<string, { readers: number; whenFree: (() => void) | undefined }>()

  get readers(): number {
    let sum = 0
    for (const { readers } of this.#held.values()) sum += readers
    return sum
  }

  pin(name: string): void {
    const held = this.#held.get(name)
    if (held === undefined) this.#held.set(name, { readers: 1, whenFree: undefined })
    else held.readers += 1
  }

  unpin(name: string): void {
    const held = this.#held.get(name)
    if (held === undefined) return
    held.readers -= 1
    if (held.readers > 0) return
    this.#held.delete(name)
    held.whenFree?.()
  }

  /** False when nobody reads it. Otherwise `action` runs once, after the last reader; a second one for the same name replaces the first. */
  defer(name: string, action: () => void): boolean {
    const held = this.#held.get(name)
    if (held === undefined) return false
    held.whenFree = action
    return true
  }
}
