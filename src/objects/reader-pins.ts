/** Which blobs are being read. A version may be deleted while a slow client still reads it; its bytes stay until the last reader is done. */
export class ReaderPins {
  readonly #readers = new Map<string, number>()

  /** @returns to be called once, when the reader is done */
  pin(refs: readonly string[]): () => void {
    for (const ref of refs) this.#readers.set(ref, (this.#readers.get(ref) ?? 0) + 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      for (const ref of refs) this.#release(ref)
    }
  }

  isPinned(ref: string): boolean {
    return this.#readers.has(ref)
  }

  #release(ref: string): void {
    const left = (this.#readers.get(ref) ?? 1) - 1
    if (left === 0) this.#readers.delete(ref)
    else this.#readers.set(ref, left)
  }
}
