import { describe, expect, expectTypeOf, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { operation } from '../../src/s3/define.ts'
import { bucketName, header, headers, integerQuery, optionalXmlBody, query, type RequestParts, xmlBody } from '../../src/s3/members.ts'
import { QueryString } from '../../src/s3/query-string.ts'
import { document, struct, text } from '../../src/s3/xml/shapes.ts'
import { named } from './operations.ts'

const parts = (search: string, given: Record<string, string> = {}): RequestParts => ({
  bucketName: 'pictures',
  key: 'k',
  query: new QueryString(search),
  headers: given,
})
const Thing = document('Thing', struct({ Name: text() }))

describe('operation', () => {
  it('infers the types of its input from its members', () => {
    operation({
      name: 'PutThing',
      route: 'PUT /{Bucket}?thing',
      action: (input) => {
        expectTypeOf(input).toEqualTypeOf<{
          readonly Bucket: string
          readonly ACL: 'private' | 'public-read' | undefined
          readonly Max: number | undefined
          readonly Names: string[]
          readonly Other: number
        }>()
        return 's3:PutThing'
      },
      input: {
        Bucket: bucketName(),
        ACL: header('x-amz-acl').oneOf(['private', 'public-read']).optional(),
        Max: integerQuery('max').optional(),
        Names: headers((all) => Object.keys(all)),
        Thing: xmlBody(Thing),
        Other: header('x-other').map(Number),
      },
      errors: ['NoSuchBucket'],
      async handle(_context, input) {
        expectTypeOf(input.Thing).toEqualTypeOf<{ readonly Name: string }>()
        expectTypeOf(input.Other).toEqualTypeOf<number>()
        return { status: 200 }
      },
    })
  })

  it('knows the query parameters that its members read', () => {
    const given = named('GetThing', 'GET /{Bucket}/{Key+}', {
      input: { a: query('a'), b: query('b').optional(), c: bucketName() },
      queries: ['d'],
    })
    expect([...given.queryNames].sort()).toEqual(['a', 'b', 'd'])
  })

  it('takes no two bodies', () => {
    expect(() => named('A', 'PUT /{Bucket}', { input: { a: xmlBody(Thing), b: xmlBody(Thing) } })).toThrow('A takes its body twice')
    expect(() => named('A', 'PUT /{Bucket}', { input: { a: xmlBody(Thing) }, body: 'stream' })).toThrow('A takes its body twice')
  })
})

describe('members', () => {
  const codeOf = (work: () => unknown) => {
    try {
      return work()
    } catch (error) {
      if (error instanceof S3Error) return error.code
      throw error
    }
  }

  it('refuses an absent required header, and takes an empty one', () => {
    expect(codeOf(() => header('x-a').decode(parts('')))).toBe('InvalidRequest')
    expect(header('x-a').decode(parts('', { 'x-a': '' }))).toBe('')
    expect(header('x-a').optional().decode(parts(''))).toBeUndefined()
  })

  it('refuses an absent required query parameter and a repeated one', () => {
    expect(codeOf(() => query('a').decode(parts('b=1')))).toBe('InvalidArgument')
    expect(codeOf(() => query('a').optional().decode(parts('a=1&a=1')))).toBe('InvalidArgument')
    expect(query('a').optional().decode(parts('a'))).toBe('')
  })

  it('refuses a word that is not in the list', () => {
    expect(codeOf(() => query('a').oneOf(['x', 'y']).decode(parts('a=z')))).toBe('InvalidArgument')
    expect(query('a').oneOf(['x', 'y']).decode(parts('a=y'))).toBe('y')
  })

  it.each(['', '-1', '1.5', '1e3', '0x10', 'x', '1001', '99999999999999999999', ' 1'])(
    'refuses %j as an integer from 0 to 1000',
    (value) => {
      expect(codeOf(() => integerQuery('n', { max: 1000 }).decode(parts(`n=${value}`)))).toBe('InvalidArgument')
    },
  )

  it('tells an empty body from a wrong one', () => {
    const empty = new Uint8Array(0)
    expect(codeOf(() => xmlBody(Thing).decode(empty))).toBe('MissingRequestBodyError')
    expect(optionalXmlBody(Thing).decode(empty)).toBeUndefined()
    expect(codeOf(() => optionalXmlBody(Thing).decode(Buffer.from('x')))).toBe('MalformedXML')
  })
})
