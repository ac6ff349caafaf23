import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keepCredentials } from '../../src/config/credentials.ts'
import { configFile, openDeployment, planDeployment, readDeployment, writeDeployment } from '../../src/config/deployment.ts'
import { makeFolder, writeFileOnce, writeFileSafely } from '../../src/config/files.ts'
import { loadConfig } from '../../src/config/load.ts'
import { readMasterKey } from '../../src/config/master-key.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-deployment-'))
})

afterEach(() => rm(folder, { recursive: true }))

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777

describe('a deployment', () => {
  it('places each region 100 ports above the one before, its console one above', () => {
    expect(planDeployment(['a', 'b'], 9000).regions).toEqual([
      { region: 'a', s3: 'http://127.0.0.1:9000', console: 'http://127.0.0.1:9001' },
      { region: 'b', s3: 'http://127.0.0.1:9100', console: 'http://127.0.0.1:9101' },
    ])
  })

  it.each([0, 65535, 65500])('refuses the first port %i when not all ports exist', (port) => {
    expect(() => planDeployment(['a', 'b'], port)).toThrow(/not all between 1 and 65535/)
  })

  it('writes files from which each region starts alone', async () => {
    await keepCredentials(join(folder, 'credentials.json'), {})
    await writeDeployment(folder, planDeployment(['us-east-1', 'eu-west-1'], 9000))
    const { config } = await loadConfig({ file: configFile(folder, 'eu-west-1'), environment: {} })
    const { credentials, deployment } = await openDeployment(folder)
    expect(config).toMatchObject({
      region: 'eu-west-1',
      dataDirectory: join(folder, 'eu-west-1'),
      s3: { host: '127.0.0.1', port: 9100 },
      admin: { host: '127.0.0.1', port: 9101 },
      regions: [{ name: 'us-east-1' }, { name: 'eu-west-1' }],
      credentials,
    })
    expect(await readDeployment(folder)).toEqual(deployment)
  })

  it('keeps what an operator wrote into a config.yaml, comments too', async () => {
    await writeDeployment(folder, planDeployment(['us-east-1'], 9000))
    const file = configFile(folder, 'us-east-1')
    await writeFile(file, `${await readFile(file, 'utf8')}# mine\nlog:\n  level: debug # for now\n`)
    await writeDeployment(folder, planDeployment(['us-east-1'], 9500))
    const text = await readFile(file, 'utf8')
    expect(text).toMatch(/# mine\nlog:\n {2}level: debug # for now/)
    expect(text).toMatch(/port: 9500/)
    expect(text).not.toMatch(/port: 9000/)
  })

  it('writes the same text when nothing changed', async () => {
    const file = configFile(folder, 'us-east-1')
    await writeDeployment(folder, planDeployment(['us-east-1'], 9000))
    const first = await readFile(file, 'utf8')
    await writeDeployment(folder, planDeployment(['us-east-1'], 9000))
    expect(await readFile(file, 'utf8')).toBe(first)
  })

  it('says how to make one where there is none', async () => {
    await expect(openDeployment(folder)).rejects.toThrow(/There is no deployment in .*farshore up --data .*named by --data DIR/)
  })

  it('refuses a deployment file of another version', async () => {
    await writeFile(join(folder, 'deployment.json'), '{"version":2,"regions":[]}')
    await expect(readDeployment(folder)).rejects.toThrow(/not a deployment file of this version/)
  })
})

describe('the credentials of a deployment', () => {
  it('are made once, in the shapes that clients expect, for their owner alone', async () => {
    const file = join(folder, 'credentials.json')
    const { credentials, isNew } = await keepCredentials(file, {})
    expect(isNew).toBe(true)
    expect(credentials.accountId).toMatch(/^\d{12}$/)
    expect(credentials.canonicalId).toMatch(/^[0-9a-f]{64}$/)
    expect(credentials.rootAccessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/)
    expect(credentials.rootSecretAccessKey).toMatch(/^[A-Za-z0-9]{40}$/)
    expect(await modeOf(file)).toBe(0o600)
    expect(await keepCredentials(file, {})).toEqual({ credentials, isNew: false })
  })

  it('are the same for all who start at the same moment', async () => {
    const file = join(folder, 'credentials.json')
    const kept = await Promise.all(Array.from({ length: 8 }, () => keepCredentials(file, {})))
    expect(new Set(kept.map(({ credentials }) => credentials.rootSecretAccessKey)).size).toBe(1)
    expect(kept.filter(({ isNew }) => isNew)).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['credentials.json'])
  })

  it('keep a given root key, and are not shown as made', async () => {
    const file = join(folder, 'credentials.json')
    const given = { rootAccessKeyId: 'mine', rootSecretAccessKey: 'my-own-secret' }
    expect(await keepCredentials(file, given)).toMatchObject({ credentials: given, isNew: false })
    expect(await keepCredentials(file, {})).toMatchObject({ credentials: given, isNew: false })
    expect(await keepCredentials(file, { rootSecretAccessKey: 'my-new-secret' })).toMatchObject({
      credentials: { rootAccessKeyId: 'mine', rootSecretAccessKey: 'my-new-secret' },
    })
    expect(await readFile(file, 'utf8')).toContain('my-new-secret')
  })

  it('are closed to others when they were left open', async () => {
    const file = join(folder, 'credentials.json')
    const { credentials } = await keepCredentials(file, {})
    await rm(file)
    await writeFile(file, JSON.stringify(credentials), { mode: 0o644 })
    await keepCredentials(file, {})
    expect(await modeOf(file)).toBe(0o600)
  })
})

describe('the master key', () => {
  const configWith = async (yaml: string) => {
    await writeFile(join(folder, 'c.yaml'), `region: a\ndataDirectory: data\n${yaml}`)
    return (await loadConfig({ file: join(folder, 'c.yaml'), environment: {} })).config
  }

  it('is made once in the data directory, for its owner alone', async () => {
    const config = await configWith('')
    const key = await readMasterKey(config)
    expect(key).toHaveLength(32)
    expect(await readMasterKey(config)).toEqual(key)
    expect(await modeOf(config.encryption.masterKeyFile)).toBe(0o600)
  })

  it('is not made in a place that the operator named', async () => {
    await expect(readMasterKey(await configWith('encryption: { masterKeyFile: k }'))).rejects.toThrow(/master key .*k is missing/)
  })

  it('must be 64 hex digits', async () => {
    await writeFile(join(folder, 'k'), 'abc')
    await expect(readMasterKey(await configWith('encryption: { masterKeyFile: k }'))).rejects.toThrow(/must hold 64 hex digits/)
  })
})

describe('small files', () => {
  it('leave nothing half-written behind when they can not be placed', async () => {
    await mkdir(join(folder, 'taken'))
    await expect(writeFileSafely(join(folder, 'taken'), 'text', 0o600)).rejects.toThrow(/Can not write to .*taken: /)
    expect(await readdir(folder)).toEqual(['taken'])
  })

  it('are not replaced when they may be written only once', async () => {
    const file = join(folder, 'once')
    expect(await writeFileOnce(file, 'first', 0o600)).toBe(true)
    expect(await writeFileOnce(file, 'second', 0o600)).toBe(false)
    expect(await readFile(file, 'utf8')).toBe('first')
  })

  it.each(['/proc/nowhere/deep', '/dev/null/x'])('says that %s can not be written to', async (path) => {
    await expect(makeFolder(path)).rejects.toThrow(/^Can not write to /)
  })

  it('makes folders with their parents', async () => {
    await makeFolder(join(folder, 'a/b/c'))
    await makeFolder(join(folder, 'a/b/c'))
    expect(await readdir(join(folder, 'a/b/c'))).toEqual([])
  })
})
