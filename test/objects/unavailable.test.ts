/** Refusals of the system that pass are told as such, and everything else as what it is. */
import { describe, expect, it } from 'vitest'
import { asBlobError } from '../../src/blobs/errors.ts'
import { asUnavailable } from '../../src/objects/unavailable.ts'

const failed = (code: string): Error => asBlobError(Object.assign(new Error(code), { code }), 'open a file')

describe('an operation on a file that the system refuses', () => {
  it.each(['EMFILE', 'ENFILE', 'EROFS'])('is 503 ServiceUnavailable for %s', (code) => {
    expect(asUnavailable(failed(code))).toMatchObject({ code: 'ServiceUnavailable', status: 503 })
  })

  it('stays what it is for EIO', () => {
    const error = failed('EIO')
    expect(asUnavailable(error)).toBe(error)
  })
})
