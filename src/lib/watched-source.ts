/** A stream of bytes whose own failure can be told from that of the place they go to. */
export class WatchedSource {
  readonly #source: AsyncIterable<Uint8Array>
  failure: { readonly error: unknown } | undefined

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* this.#source
    } catch (error) {
      this.failure = { error }
      throw error
    }
  }
}
