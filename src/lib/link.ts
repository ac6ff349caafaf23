/**
 * Calls between two threads over a message port. What is said in one turn of the event loop travels in one message; calls arrive in the order in
 * which they were made.
 */

/** A method's input and output: plain data, as structured clones carry it. */
export type LinkMethods = Readonly<Record<string, { readonly input: unknown; readonly output: unknown }>>

export type LinkHandlers<Methods extends LinkMethods> = {
  readonly [Name in keyof Methods]: (input: Methods[Name]['input'], signal: AbortSignal) => Promise<Methods[Name]['output']>
}

/** Errors of one's own classes, as plain data and back. */
export interface ErrorCodec {
  encode(error: unknown): unknown
  decode(data: unknown): unknown
}

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly input: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly output: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: unknown }
  | { readonly kind: 'abort'; readonly id: number }

interface Waiting {
  resolve(output: unknown): void
  reject(error: unknown): void
}

/** What a link needs of a port: a `Worker` and `parentPort` have it too. */
interface Port {
  postMessage(messages: readonly Message[]): void
  on(event: 'message', listener: (messages: readonly Message[]) => void): unknown
}

export interface LinkOptions<Answers extends LinkMethods> {
  readonly port: Port
  readonly handlers: LinkHandlers<Answers>
  readonly errors: ErrorCodec
}

/** @typeParam Asks what this side may call @typeParam Answers what it answers */
export class Link<Asks extends LinkMethods, Answers extends LinkMethods> {
  readonly #options: LinkOptions<Answers>
  readonly #waiting = new Map<number, Waiting>()
  readonly #answering = new Map<number, { readonly aborting: AbortController; readonly done: Promise<void> }>()
  #outgoing: Message[] = []
  #nextId = 0
  #end: Error | undefined

  constructor(options: LinkOptions<Answers>) {
    this.#options = options
    options.port.on('message', (messages) => {
      for (const message of messages) this.#take(message)
    })
  }

  /** @throws what the other side's handler throws; the link's end; the signal's reason, whereupon the other side's signal aborts too */
  call<Name extends keyof Asks & string>(method: Name, input: Asks[Name]['input'], signal?: AbortSignal): Promise<Asks[Name]['output']> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    if (signal?.aborted) return Promise.reject(signal.reason)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(id)
        this.#say({ kind: 'abort', id })
        reject(signal?.reason)
      }
      const done = (): void => signal?.removeEventListener('abort', onAbort)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.set(id, {
        resolve(output) {
          done()
          resolve(output as Asks[Name]['output']) // its handler has the same name on the other side
        },
        reject(error) {
          done()
          reject(error)
        },
      })
      this.#say({ kind: 'call', id, method, input })
    })
  }

  /** The other side is gone: whoever waits is told so, and what is being answered is given up. */
  end(reason: Error): void {
    this.#end = reason
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
    for (const { aborting } of this.#answering.values()) aborting.abort(reason)
    this.#outgoing = []
  }

  /** Resolves when every call that has come in is done, though nobody may hear of it. */
  async settled(): Promise<void> {
    while (this.#answering.size > 0) await Promise.all([...this.#answering.values()].map(({ done }) => done))
  }

  #take(message: Message): void {
    switch (message.kind) {
      case 'call':
        this.#begin(message)
        return
      case 'answer':
        this.#settle(message.id)?.resolve(message.output)
        return
      case 'refusal':
        this.#settle(message.id)?.reject(this.#options.errors.decode(message.error))
        return
      case 'abort':
        this.#answering.get(message.id)?.aborting.abort(new Error('the caller no longer waits'))
        return
      default:
        message satisfies never
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }

  #begin(call: Message & { kind: 'call' }): void {
    const aborting = new AbortController()
    const done = this.#answer(call, aborting.signal).finally(() => this.#answering.delete(call.id))
    this.#answering.set(call.id, { aborting, done })
  }

  async #answer({ id, method, input }: Message & { kind: 'call' }, signal: AbortSignal): Promise<void> {
    try {
      const handler = this.#options.handlers[method]
      if (handler === undefined) throw new Error(`there is no method ${method}`)
      this.#say({ kind: 'answer', id, output: await handler(input, signal) })
    } catch (error) {
      this.#say({ kind: 'refusal', id, error: this.#options.errors.encode(error) })
    }
  }

  #say(message: Message): void {
    if (this.#end !== undefined) return
    this.#outgoing.push(message)
    if (this.#outgoing.length > 1) return
    setImmediate(() => {
      const messages = this.#outgoing
      this.#outgoing = []
      if (messages.length > 0) this.#options.port.postMessage(messages)
    })
  }
}
