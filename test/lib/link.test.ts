import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ErrorCodec, Link, type LinkHandlers } from '../../src/lib/link.ts'

type Methods = {
  readonly add: { readonly input: number; readonly output: number }
  readonly hang: { readonly input: undefined; readonly output: string }
  readonly fail: { readonly input: string; readonly output: undefined }
}
type None = Record<never, { readonly input: unknown; readonly output: unknown }>

const errors: ErrorCodec = {
  encode: (error) => (error instanceof Error ? error.message : ''),
  decode: (data) => new RangeError(String(data)),
}

function linked(handlers: Partial<LinkHandlers<Methods>>) {
  const { port1, port2 } = new MessageChannel()
  onTestFinished(() => port1.close())
  const all: LinkHandlers<Methods> = {
    add: async (value) => value + 1,
    hang: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    fail: (message) => Promise.reject(new Error(message)),
    ...handlers,
  }
  const asking = new Link<Methods, None>({ port: port1, handlers: {}, errors })
  const answering = new Link<None, Methods>({ port: port2, handlers: all, errors })
  return { asking, answering }
}

describe('a link between threads', () => {
  it('gives each call its own answer, and makes them in order', async () => {
    const seen: number[] = []
    const { asking } = linked({
      async add(value) {
        seen.push(value)
        return value * 2
      },
    })
    const values = Array.from({ length: 100 }, (_, i) => i)
    expect(await Promise.all(values.map((value) => asking.call('add', value)))).toEqual(values.map((value) => value * 2))
    expect(seen).toEqual(values)
  })

  it('carries errors by its codec', async () => {
    await expect(linked({}).asking.call('fail', 'broken')).rejects.toThrow(new RangeError('broken'))
  })

  it('tells the other side when nobody waits any more', async () => {
    let told: () => void
    const aborted = new Promise<void>((resolve) => {
      told = resolve
    })
    const { asking } = linked({
      hang: (_, signal) => new Promise(() => signal.addEventListener('abort', () => told())),
    })
    const waiting = new AbortController()
    const call = asking.call('hang', undefined, waiting.signal)
    setImmediate(() => waiting.abort(new Error('gone')))
    await expect(call).rejects.toThrow('gone')
    await aborted
  })

  it('ends what waits and what is asked later, when the other side is gone', async () => {
    const { asking } = linked({})
    const call = asking.call('hang', undefined)
    asking.end(new Error('dead'))
    await expect(call).rejects.toThrow('dead')
    await expect(asking.call('add', 1)).rejects.toThrow('dead')
  })

  it('is settled only when all that came in is done, also after its end', async () => {
    let finish = (_: number): void => undefined
    const begun = Promise.withResolvers<void>()
    const { asking, answering } = linked({
      add: () => {
        begun.resolve()
        return new Promise((resolve) => {
          finish = resolve
        })
      },
    })
    asking.call('add', 1).catch(() => undefined)
    await begun.promise
    answering.end(new Error('dead'))
    let isSettled = false
    const settled = answering.settled().then(() => {
      isSettled = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isSettled).toBe(false)
    finish(1)
    await settled
  })
})
