import { describe, expect, it } from 'vitest'
import { Attempts } from '../../src/console/attempts.ts'
import { SignInLinks } from '../../src/console/links.ts'
import { ConsoleRegions } from '../../src/console/regions.ts'
import { Sessions } from '../../src/console/sessions.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const somebody = {
  credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' },
  caller: { accountId: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', isOperator: true },
}

class HeldClock {
  ms = Date.UTC(2026, 10, 24)
  nowMs(): number {
    return this.ms
  }
}

describe('a session', () => {
  it('lasts an hour without use, and twelve in all', () => {
    const clock = new HeldClock()
    const sessions = new Sessions(clock)
    const { id } = sessions.begin(somebody)
    const idle = sessions.begin(somebody).id
    for (let i = 0; i < 12; i++) {
      clock.ms += hourMs
      expect(sessions.find(id)?.id).toBe(id)
    }
    expect(sessions.find(idle)).toBeUndefined()
    clock.ms += 1
    expect(sessions.find(id)).toBeUndefined()
  })

  it('has a name and a token of its own, which are not each other', () => {
    const sessions = new Sessions(new HeldClock())
    const many = Array.from({ length: 100 }, () => sessions.begin(somebody))
    expect(new Set(many.flatMap(({ id, csrfToken }) => [id, csrfToken])).size).toBe(200)
  })

  it('makes room for another: the one that was not used for longest', () => {
    const clock = new HeldClock()
    const sessions = new Sessions(clock)
    const first = sessions.begin(somebody).id
    const second = sessions.begin(somebody).id
    for (let i = 0; i < 998; i++) sessions.begin(somebody)
    expect(sessions.find(first)).toBeDefined()
    sessions.begin(somebody)
    expect(sessions.size).toBe(1000)
    expect(sessions.find(first)).toBeDefined()
    expect(sessions.find(second)).toBeUndefined()
  })
})

describe('a link', () => {
  it('is good for ten minutes, once', () => {
    const clock = new HeldClock()
    const links = new SignInLinks(clock)
    const [used, late] = [links.make(), links.make()]
    clock.ms += 10 * minuteMs - 1
    expect(links.use(used.token)).toBe(true)
    expect(links.use(used.token)).toBe(false)
    clock.ms += 1
    expect(links.use(late.token)).toBe(false)
    expect(links.use('')).toBe(false)
  })
})

describe('attempts', () => {
  const wrong = (attempts: Attempts, address: string): Promise<string> =>
    attempts.try(address, () => Promise.reject(new Error('wrong'))).catch((error: Error) => error.message)

  it('are counted for each network, and those that succeed are not', async () => {
    const clock = new HeldClock()
    const attempts = new Attempts(clock)
    for (let i = 0; i < 50; i++) await attempts.try('10.0.0.1', () => Promise.resolve())
    for (let i = 0; i < 20; i++) expect(await wrong(attempts, `2001:db8:1:2::${i}`)).toBe('wrong')
    expect(await wrong(attempts, '2001:db8:1:2:ffff::1')).toMatch(/too many/)
    expect(await wrong(attempts, '2001:db8:1:3::1')).toBe('wrong')
    expect(await wrong(attempts, '10.0.0.1')).toBe('wrong')
    clock.ms += minuteMs
    expect(await wrong(attempts, '2001:db8:1:2::1')).toBe('wrong')
  })

  it('are counted in all, and many at once are not more than one after the other', async () => {
    const attempts = new Attempts(new HeldClock())
    const seen: string[] = []
    for (let i = 0; i < 12; i++) {
      seen.push(...(await Promise.all(Array.from({ length: 20 }, (_, j) => wrong(attempts, `10.0.${i}.${j}`)))))
    }
    expect(seen.filter((message) => message === 'wrong')).toHaveLength(200)
    const crowd = await Promise.all(Array.from({ length: 40 }, () => wrong(new Attempts(new HeldClock()), '10.0.0.1')))
    expect(crowd.filter((message) => message === 'wrong')).toHaveLength(40)
    const one = new Attempts(new HeldClock())
    const same = await Promise.all(Array.from({ length: 40 }, () => wrong(one, '10.0.0.1')))
    expect(same.filter((message) => message === 'wrong')).toHaveLength(20)
  })
})

it('a region whose admin address nobody said is named, with the setting', async () => {
  const regions = new ConsoleRegions({
    self: 'us-east-1',
    regions: [{ name: 'eu-west-1', endpoint: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' }],
  })
  expect(() => regions.admin('eu-west-1')).toThrow(/set admin in the entry of eu-west-1 below regions/)
  expect(() => regions.s3('toString')).toThrow(/no region/)
  await regions.close()
})
