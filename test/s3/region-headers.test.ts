import { describe, expect, it } from 'vitest'
import { useDeployment } from '../support/deployment.ts'

describe('what regions alone may say', () => {
  const node = useDeployment()

  it.each([true, false])('is refused from anybody else, signed: %s', async (signed) => {
    await node().raw({ method: 'PUT', path: '/region-headers' })
    const headers = { 'x-farshore-version-id': 'mine' }
    const answer = await node().raw({ method: 'PUT', path: '/region-headers/key', headers, body: 'x', signed })
    expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessDenied'])
    expect(answer.element('Message')).toContain('x-farshore-version-id')
    expect((await node().raw({ method: 'GET', path: '/region-headers/key' })).element('Code')).toBe('NoSuchKey')
  })

  it.each([
    ['POST', '/_peer/v1/replication/batch'],
    ['PUT', '/_peer/v1/replication/version'],
    ['POST', '/_peer/v1/control/append'],
    ['GET', '/_peer/v1/control/rows?after=0&hash=&waitMs=0'],
  ])('is not for the root key: %s %s', async (method, path) => {
    const request = { method, path, headers: { 'x-farshore-protocol': '1' }, ...(method === 'GET' ? {} : { body: '{}' }) }
    expect((await node().raw(request)).element('Code')).toBe('AccessDenied')
    expect((await node().raw({ ...request, signed: false })).element('Code')).toBe('AccessDenied')
  })
})
