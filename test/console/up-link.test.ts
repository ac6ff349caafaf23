import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { freePorts } from '../support/up.ts'
import { Browser } from './browser.ts'

const farshore = new URL('../../bin/farshore.js', import.meta.url).pathname

it('farshore up prints a link that signs in, once, and reaches the admin API of both regions', async () => {
  const data = await mkdtemp(join(tmpdir(), 'farshore-link-'))
  const child = spawn(process.execPath, [farshore, 'up', '--data', data, '--port', String(await freePorts())], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    await rm(data, { recursive: true, force: true })
  })
  const [origin = '', token = ''] = await linkIn(createInterface(child.stdout))
  const browser = new Browser({ adminUrl: origin })
  const { caller, regions } = await browser.signIn({ link: token })
  expect(caller.isOperator).toBe(true)
  for (const { name } of regions) {
    const seen = await browser.ask(`/api/admin/${name}/region`)
    expect(JSON.parse(seen.text)).toMatchObject({ region: name })
  }
  expect((await new Browser({ adminUrl: origin }).post('/api/session', { link: token })).status).toBe(403)
})

async function linkIn(lines: AsyncIterable<string>): Promise<readonly string[]> {
  for await (const line of lines) {
    const [, origin, token] = /(http:\S+)\/sign-in#(\S+)/.exec(line) ?? []
    if (origin !== undefined && token !== undefined) return [origin, token]
  }
  throw new Error('no link was printed')
}
