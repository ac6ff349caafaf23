import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, freePort, isAlive, type Running, run } from './processes.ts'

interface Announced {
  readonly regions: readonly { readonly region: string; readonly s3: string; readonly console: string; readonly pid: number }[]
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

let folder: string
let port: number
const started: Running[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-up-'))
  port = await freePort()
})

afterEach(async () => {
  for (const { child, exit } of started.splice(0)) {
    child.kill('SIGTERM')
    child.kill('SIGTERM')
    await exit
  }
  await rm(folder, { recursive: true })
})

function start(args: readonly string[], environment: Record<string, string> = {}): Running {
  const running = run(args, { environment })
  started.push(running)
  return running
}

const upArguments = (...more: string[]): string[] => ['up', '--data', folder, '--port', String(port), ...more]

async function up(...more: string[]): Promise<{ running: Running; announced: Announced }> {
  const running = start(upArguments('--json', ...more))
  const line = await eventually('the line of JSON', () => running.stdout().includes('\n') && running.stdout())
  return { running, announced: JSON.parse(line) as Announced } // What the command promises, checked below.
}

const pidOf = ({ regions }: Announced, i: number): number => regions[i]?.pid ?? 0
const answers = (address: string): Promise<boolean> =>
  fetch(`${address}/_health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

describe('farshore up', () => {
  it('says on exactly one line of JSON what runs where, once all regions answer', async () => {
    const { running, announced } = await up('--regions', 'us-east-1,eu-west-1')
    expect(announced).toEqual({
      regions: [
        { region: 'us-east-1', s3: `http://127.0.0.1:${port}`, console: `http://127.0.0.1:${port + 1}`, pid: expect.any(Number) },
        { region: 'eu-west-1', s3: `http://127.0.0.1:${port + 100}`, console: `http://127.0.0.1:${port + 101}`, pid: expect.any(Number) },
      ],
      accessKeyId: expect.stringMatching(/^AKIA/),
      secretAccessKey: expect.stringMatching(/^\w{40}$/),
    })
    for (const { s3, pid } of announced.regions) {
      expect(isAlive(pid)).toBe(true)
      expect(await answers(s3)).toBe(true)
    }
    expect(running.stdout().trimEnd().split('\n')).toHaveLength(1)
    expect(running.stderr()).toBe('')
    expect((await stat(join(folder, 'credentials.json'))).mode & 0o777).toBe(0o600)
  })

  it('ends with code 0 and leaves no process behind when told to stop', async () => {
    const { running, announced } = await up()
    running.child.kill('SIGTERM')
    expect(await running.exit).toBe(0)
    expect(announced.regions.map(({ pid }) => isAlive(pid))).toEqual([false, false])
    expect(await readFile(join(folder, 'us-east-1', 'farshore.log'), 'utf8')).toContain('region closed')
  })

  it('ends its regions when it is killed', async () => {
    const { running, announced } = await up()
    running.child.kill('SIGKILL')
    expect(await running.exit).toBe('SIGKILL')
    await eventually('no region is left', () => announced.regions.every(({ pid }) => !isAlive(pid)))
  })

  it('kills regions that do not end, at the second signal', async () => {
    const { running, announced } = await up('--regions', 'us-east-1')
    running.child.kill('SIGTERM')
    await running.exit
    await writeFile(
      join(folder, 'us-east-1', 'config.yaml'),
      `${await readFile(join(folder, 'us-east-1', 'config.yaml'), 'utf8')}domains: [stuck.test]\n`,
    )
    const again = await up()
    again.running.child.kill('SIGINT')
    await eventually('the region was asked', async () => {
      const log = await readFile(join(folder, 'us-east-1', 'farshore.log'), 'utf8')
      return log.split('region closed').length === 3
    })
    expect(isAlive(pidOf(again.announced, 0))).toBe(true)
    again.running.child.kill('SIGINT')
    expect(await again.running.exit).toBe(0)
    expect(isAlive(pidOf(again.announced, 0))).toBe(false)
    expect(announced.accessKeyId).toBe(again.announced.accessKeyId)
  })

  it('starts a region again that dies, and leaves the others alone', async () => {
    const { running, announced } = await up()
    process.kill(pidOf(announced, 0), 'SIGKILL')
    await eventually('it says so', () => running.stderr().includes('us-east-1 ended. It was ended by SIGKILL. It starts again in 0.5 s.'))
    await eventually('it answers again', () => answers(announced.regions[0]?.s3 ?? ''))
    expect(isAlive(pidOf(announced, 0))).toBe(false)
    expect(isAlive(pidOf(announced, 1))).toBe(true)
  })

  it('leaves a dead region dead with --no-restart, from where server starts it alone', async () => {
    const { running, announced } = await up('--no-restart')
    process.kill(pidOf(announced, 1), 'SIGKILL')
    await eventually('it says so', () => running.stderr().includes('It stays down.'))
    const alone = start(['server', '--config', join(folder, 'eu-west-1', 'config.yaml'), '--json'])
    const line = await eventually('it is ready', () => alone.stdout().includes('\n') && alone.stdout())
    expect(JSON.parse(line)).toEqual({
      region: 'eu-west-1',
      s3: announced.regions[1]?.s3,
      console: announced.regions[1]?.console,
      pid: alone.child.pid,
    })
    alone.child.kill('SIGTERM')
    expect(await alone.exit).toBe(0)
    process.kill(pidOf(announced, 0), 'SIGKILL')
    expect(await running.exit).toBe(1)
  })

  it('starts the same regions on the same ports with the same keys when it is told nothing', async () => {
    const first = await up('--regions', 'eu-north-1')
    first.running.child.kill('SIGTERM')
    await first.running.exit
    const running = start(['up', '--data', folder])
    await eventually('the last line', () => running.stdout().includes('Ctrl-C'))
    expect(running.stdout()).toContain(`eu-north-1  S3 http://127.0.0.1:${port}  console http://127.0.0.1:${port + 1}`)
    expect(running.stdout()).toContain(first.announced.accessKeyId)
    expect(running.stdout()).not.toContain(first.announced.secretAccessKey)
  })

  it('shows a secret that it made, and takes one that is given', async () => {
    const made = start(upArguments('--regions', 'us-east-1'))
    await eventually('the last line', () => made.stdout().includes('Ctrl-C'))
    expect(made.stdout()).toMatch(/secret key \w{40} {2}\(shown this once/)
    made.child.kill('SIGTERM')
    await made.exit
    const given = start(upArguments('--json'), { FARSHORE_ACCESS_KEY_ID: 'my-own-key', FARSHORE_SECRET_ACCESS_KEY: 'my-own-secret' })
    const line = await eventually('the line of JSON', () => given.stdout().includes('\n') && given.stdout())
    expect(JSON.parse(line)).toMatchObject({ accessKeyId: 'my-own-key', secretAccessKey: 'my-own-secret' })
  })

  it('refuses a folder that another one uses, whatever the port', async () => {
    await up()
    const second = start(['up', '--data', folder, '--port', String(await freePort())])
    expect(await second.exit).toBe(1)
    expect(second.stderr()).toBe(`farshore: ${folder} is in use by another farshore process.\n`)
  })

  it('refuses a region folder that a lone server uses', async () => {
    const { running } = await up('--regions', 'us-east-1')
    running.child.kill('SIGTERM')
    await running.exit
    const config = join(folder, 'us-east-1', 'config.yaml')
    const alone = start(['server', '--config', config, '--set', `s3.port=${port + 200}`, '--set', `admin.port=${port + 201}`])
    await eventually('it is ready', () => alone.stdout().includes('is ready'))
    const second = start(['server', '--config', config])
    expect(await second.exit).toBe(1)
    expect(second.stderr()).toMatch(/^farshore: .*us-east-1 is in use by another farshore process\.\n$/)
    const all = start(upArguments())
    expect(await all.exit).toBe(1)
    expect(all.stderr()).toMatch(/^farshore: us-east-1 could not start\. .*us-east-1 is in use by another farshore process\.\n$/)
  })

  it('says which port is taken, before it makes anything', async () => {
    const { announced } = await up('--regions', 'us-east-1')
    const other = await mkdtemp(join(tmpdir(), 'farshore-up-'))
    const second = start(['up', '--data', other, '--port', String(port - 100)])
    expect(await second.exit).toBe(1)
    expect(second.stderr()).toBe(`farshore: Port ${port} on 127.0.0.1 is taken by another process. --port takes another.\n`)
    await expect(stat(join(other, 'credentials.json'))).rejects.toThrow(/ENOENT/)
    expect(isAlive(pidOf(announced, 0))).toBe(true)
    await rm(other, { recursive: true })
  })

  it('says what a region said that could not start, and ends the others', async () => {
    const { running } = await up()
    running.child.kill('SIGTERM')
    await running.exit
    const config = join(folder, 'eu-west-1', 'config.yaml')
    await writeFile(config, `${await readFile(config, 'utf8')}domains: [broken.test]\n`)
    const again = start(upArguments())
    expect(await again.exit).toBe(1)
    expect(again.stderr()).toBe('farshore: eu-west-1 could not start. the stub was told to fail\n')
    expect(again.stdout()).toBe('')
    expect(await answers(`http://127.0.0.1:${port}`)).toBe(false)
  })
})
