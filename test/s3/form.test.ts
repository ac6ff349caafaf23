import { describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { openForm } from '../../src/s3/form.ts'
import { multipart, type Part } from '../support/forms.ts'
import { Random } from './auth/random-requests.ts'

async function* cut(body: Buffer, lengthOf: () => number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; ) {
    const piece = body.subarray(at, at + lengthOf())
    at += piece.length
    yield piece
  }
}

async function read(body: AsyncIterable<Buffer>, contentType: string) {
  const form = await openForm(body, contentType)
  const pieces: Buffer[] = []
  for await (const piece of form.file(undefined)) pieces.push(piece)
  return { fields: Object.fromEntries(form.fields), fileName: form.fileName, content: Buffer.concat(pieces) }
}

const parts: readonly Part[] = [
  ['Key', 'ä\r\n--AaB03'],
  ['policy', ''],
  ['file', Buffer.from('a\r\n--AaB03\r\n-AaB03x \r\n\r\n--'), 'C:\\dir\\ü.txt'],
  ['after', 'x'],
]

describe('a form', () => {
  it('is the same however its bytes are cut', async () => {
    const random = new Random(3)
    const { body, contentType } = multipart(parts)
    const whole = await read(
      cut(body, () => body.length),
      contentType,
    )
    expect(whole.fields).toEqual({ key: 'ä\r\n--AaB03', policy: '' })
    expect(whole.fileName).toBe('C:\\dir\\ü.txt')
    expect(whole.content.toString()).toBe('a\r\n--AaB03\r\n-AaB03x \r\n\r\n--')
    for (let run = 0; run < 300; run += 1)
      expect(
        await read(
          cut(body, () => 1 + random.below(run + 1)),
          contentType,
        ),
      ).toEqual(whole)
  })

  it('that is damaged anywhere is read or refused, and never waited for', async () => {
    const random = new Random(4)
    const { body, contentType } = multipart(parts)
    for (let run = 0; run < 3000; run += 1) {
      const damaged = Buffer.from(body)
      for (let times = 1 + random.below(3); times > 0; times -= 1) damaged[random.below(damaged.length)] = random.below(256)
      const end = random.below(2) === 0 ? damaged.length : random.below(damaged.length)
      const outcome: unknown = await read(
        cut(damaged.subarray(0, end), () => 1 + random.below(200)),
        contentType,
      ).catch((error: unknown) => error)
      if (outcome instanceof Error && !(outcome instanceof S3Error)) throw outcome
    }
  })

  it('ends its body when nobody reads on', async () => {
    let isEnded = false
    const { body, contentType } = multipart([['file', Buffer.alloc(300_000, 'x'), 'f']])
    async function* source() {
      try {
        yield* cut(body, () => 1000)
      } finally {
        isEnded = true
      }
    }
    const form = await openForm(source(), contentType)
    for await (const _ of form.file({ minBytes: 0, maxBytes: 1e6 })) break
    expect(isEnded).toBe(true)
  })
})
