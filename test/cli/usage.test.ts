import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CliContext, type ExitCode, exitCodes } from '../../src/cli/context.ts'
import { runCli } from '../../src/cli/program.ts'
import { binary, run } from './processes.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-usage-'))
})

afterEach(() => rm(folder, { recursive: true }))

async function cli(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: ExitCode; out: string; err: string }> {
  const out: string[] = []
  const err: string[] = []
  const context: CliContext = {
    environment,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    entry: 'unused',
    version: '1.2.3',
    startRegion: () => Promise.reject(new Error('no region is started here')),
    checkRegion: () => Promise.reject(new Error('no region is checked here')),
  }
  return { code: await runCli(args, context), out: out.join('\n'), err: err.join('\n') }
}

describe('a wrong command', () => {
  it.each([
    [['up', '--regoins', 'x'], "farshore: unknown option '--regoins' (Did you mean --regions?)"],
    [['upp'], "farshore: unknown command 'upp' (Did you mean up?)"],
    [['up', '--port', '99999'], /A port is a number from 1 to 65535/],
    [['up', '--port', '0'], /A port is a number from 1 to 65535/],
    [['up', '--regions', 'us_east'], /"us_east": a region name has/],
    [['up', '--regions', 'a,a'], /is invalid\. Each region is named once, and a is named twice\./],
    [['up', '--regions', ''], /a region name has/],
    [['up', 'extra'], /too many arguments/],
    [['server', '--config'], /argument missing/],
  ] as const)('%j is told in one line, with exit code 2', async (args, message) => {
    const { code, out, err } = await cli(args)
    expect(code).toBe(exitCodes.usage)
    expect(err.split('\n')).toHaveLength(1)
    expect(err).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
    expect(out).toBe('')
  })

  it('shows the help on stderr when there is no command', async () => {
    const { code, out, err } = await cli([])
    expect(code).toBe(exitCodes.usage)
    expect(err).toMatch(/^Usage: farshore/)
    expect(out).toBe('')
  })
})

describe('what the machine refuses', () => {
  it('says that a folder can not be written to', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const { code, err } = await cli(['up', '--data', join(file, 'data')])
    expect(code).toBe(exitCodes.failed)
    expect(err).toBe(`farshore: Can not write to ${join(file, 'data')}: a part of its path is a file, not a folder.`)
  })

  it('says that a configuration file is missing', async () => {
    const { code, err } = await cli(['server', '--config', join(folder, 'nowhere.yaml')])
    expect(code).toBe(exitCodes.failed)
    expect(err).toBe(`farshore: Can not read ${join(folder, 'nowhere.yaml')}: there is no such file or folder.`)
  })

  it('refuses settings of one region for several', async () => {
    const { code, err } = await cli(['up', '--data', folder], { FARSHORE_S3_PORT: '9000' })
    expect(code).toBe(exitCodes.failed)
    expect(err).toMatch(/FARSHORE_S3_PORT is for one region alone/)
    expect(await readdir(folder)).toEqual([])
  })
})

describe('farshore --version and --help', () => {
  it.each([
    ['--version', /^1\.2\.3$/],
    ['--help', /^Usage: farshore .*\bup\b/s],
  ])('answers %s on stdout with code 0', async (flag, text) => {
    const { code, out, err } = await cli([flag])
    expect({ code, err }).toEqual({ code: exitCodes.ok, err: '' })
    expect(out).toMatch(text)
  })
})

describe('farshore config', () => {
  it('checks a file', async () => {
    const file = join(folder, 'c.yaml')
    await writeFile(file, 'region: us-east-1\ndataDirectory: d\n')
    expect(await cli(['config', 'check', '--config', file])).toEqual({ code: 0, out: 'The settings of us-east-1 are right.', err: '' })
    await writeFile(file, 'region: us-east-1\ndataDirectory: d\ns3: { prot: 1 }\nlogs: {}\n')
    const { code, err } = await cli(['config', 'check', '--config', file, '--json'])
    expect(code).toBe(exitCodes.failed)
    expect(err).toBe(
      `farshore: ${file}: s3.prot is not a setting. Did you mean s3.port?\n${file}: logs is not a setting. Did you mean log?`,
    )
  })

  it('prints what a region would run with, without secrets, and makes nothing', async () => {
    const file = join(folder, 'c.yaml')
    await writeFile(file, 'region: us-east-1\ndataDirectory: d\n')
    const { code, out } = await cli(['config', 'print', '--config', file, '--json'], { FARSHORE_SECRET_ACCESS_KEY: 'hush-hush' })
    expect(code).toBe(exitCodes.ok)
    expect(JSON.parse(out)).toMatchObject({ region: 'us-east-1', s3: { port: 9000 }, credentials: { rootSecretAccessKey: '(hidden)' } })
    expect(out).not.toContain('hush-hush')
    expect(await readdir(folder)).toEqual(['c.yaml'])
  })

  it('makes the shared credentials once, and shows the secret once', async () => {
    const first = await cli(['config', 'init', '--data', folder])
    expect(first.out).toMatch(/Secret key \w{40} \(shown this once\)/)
    const second = await cli(['config', 'init', '--data', folder, '--json'])
    expect(Object.keys(JSON.parse(second.out))).toEqual(['file', 'accountId', 'accessKeyId'])
    expect(first.out).toContain(JSON.parse(second.out).accessKeyId)
  })
})

describe('config init', () => {
  it('does not put a well-known or short secret in the place of the one that is kept', async () => {
    await cli(['config', 'init', '--data', folder])
    const file = join(folder, 'credentials.json')
    const kept = await readFile(file, 'utf8')
    for (const secret of ['minioadmin', 'short']) {
      const { code, err } = await cli(['config', 'init', '--data', folder], { FARSHORE_SECRET_ACCESS_KEY: secret })
      expect(code).toBe(exitCodes.failed)
      expect(err).toContain('credentials.rootSecretAccessKey is a well-known or short secret')
    }
    expect(await readFile(file, 'utf8')).toBe(kept)
  })
})

describe('bin/farshore.js', () => {
  it('runs the command line', async () => {
    const running = run(['--version'], { entry: binary })
    expect(await running.exit).toBe(0)
    expect(running.stdout()).toMatch(/^\d+\.\d+\.\d+/)
  })

  it('says in one sentence that Node is too old', () => {
    const old = "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'22.18.9'}})"
    const { status, stderr } = spawnSync(process.execPath, ['--import', old, binary, '--version'], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'farshore: Node 22.19 or newer is needed; this is 22.18.9.\n' })
  })

  it('gives the exit code of a wrong command, without a stack', async () => {
    const running = run(['up', '--nonsense'], { entry: binary })
    expect(await running.exit).toBe(2)
    expect(running.stderr()).toBe("farshore: unknown option '--nonsense'\n")
  })
})
