import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig, loadSettings, loadSharedCredentials } from '../../src/config/load.ts'
import { nearest } from '../../src/config/nearest.ts'
import { listSettings, withoutSecrets } from '../../src/config/settings.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farshore-settings-'))
})

afterEach(() => rm(folder, { recursive: true }))

async function file(text: string, name = 'config.yaml'): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const minimal = 'region: us-east-1\ndataDirectory: data\n'
const twoRegions = `${minimal}regions:
  - { name: us-east-1, endpoint: "http://127.0.0.1:9000" }
  - { name: eu-west-1, endpoint: "http://127.0.0.1:9100/", publicUrl: "https://eu.example.net" }
`

describe('where settings come from', () => {
  it('takes flags before environment before file before defaults', async () => {
    const sources = {
      file: await file(`${minimal}s3: { port: 1 }\nadmin: { port: 2 }\nlog: { level: warn }\n`),
      environment: { FARSHORE_S3_PORT: '11', FARSHORE_ADMIN_PORT: '12' },
      assignments: ['s3.port=21'],
    }
    const settings = await loadSettings(sources)
    expect(settings.s3).toEqual({ host: '127.0.0.1', port: 21 })
    expect(settings.admin.port).toBe(12)
    expect(settings.log).toEqual({ level: 'warn', access: false })
  })

  it('takes everything from the environment when there is no file', async () => {
    const regions = JSON.stringify([{ name: 'us-east-1', endpoint: 'http://127.0.0.1:9000' }])
    const environment = {
      FARSHORE_REGION: 'us-east-1',
      FARSHORE_DATA_DIRECTORY: folder,
      FARSHORE_REGIONS: regions,
      FARSHORE_DOMAINS: 's3.example.net, s3.example.org',
      FARSHORE_BUCKETS_OWNERSHIP: 'ObjectWriter',
      FARSHORE_BUCKETS_PUBLIC_ACCESS_BLOCK: 'false',
      FARSHORE_RESERVE_BYTES: '2097152',
    }
    const settings = await loadSettings({ environment })
    expect(settings).toMatchObject({
      region: 'us-east-1',
      domains: ['s3.example.net', 's3.example.org'],
      buckets: { ownership: 'ObjectWriter', publicAccessBlock: false },
      reserveBytes: 2097152,
    })
  })

  it('counts an empty environment variable as absent', async () => {
    const settings = await loadSettings({ file: await file(minimal), environment: { FARSHORE_S3_PORT: '', FARSHORE_NONSENSE: '' } })
    expect(settings.s3.port).toBe(9000)
  })

  it('leaves alone what Kubernetes says about a service called farshore', async () => {
    const environment = { FARSHORE_SERVICE_HOST: '10.0.0.1', FARSHORE_PORT: 'tcp://10.0.0.1:9000', FARSHORE_PORT_9000_TCP_ADDR: '10.0.0.1' }
    await expect(loadSettings({ file: await file(minimal), environment })).resolves.toMatchObject({ region: 'us-east-1' })
  })

  it('takes paths relative to the file that names them', async () => {
    const settings = await loadSettings({ file: await file(minimal), environment: {} })
    expect(settings.dataDirectory).toBe(join(folder, 'data'))
  })

  it('lets a secret from the environment replace the secret file of the YAML', async () => {
    const path = await file(`${minimal}credentials: { rootSecretAccessKeyFile: missing }\n`)
    const settings = await loadSettings({ file: path, environment: { FARSHORE_SECRET_ACCESS_KEY: 'from-environment' } })
    expect(settings.credentials).toEqual({ rootSecretAccessKey: 'from-environment' })
  })

  it('keeps the credentials file when the environment gives one piece of the credentials', async () => {
    const path = await file(`${minimal}credentialsFile: shared.json\n`)
    const settings = await loadSettings({ file: path, environment: { FARSHORE_ACCESS_KEY_ID: 'from-environment' } })
    expect(settings.credentialsFile).toBe(join(folder, 'shared.json'))
  })

  it('has a variable of its own for every setting', () => {
    const variables = listSettings().flatMap((setting) => setting.variables)
    expect(new Set(variables).size).toBe(variables.length)
    expect(variables).toEqual(expect.arrayContaining(['FARSHORE_ACCESS_KEY_ID', 'FARSHORE_SECRET_ACCESS_KEY_FILE', 'FARSHORE_S3_PORT']))
  })
})

describe('what is wrong with settings', () => {
  const yaml: readonly [string, string, RegExp][] = [
    ['an unknown name', `${minimal}s3: { prot: 1 }`, /s3\.prot is not a setting\. Did you mean s3\.port\?/],
    ['an unknown name far from any', `${minimal}zzzzzzzzzzzz: 1`, /zzzzzzzzzzzz is not a setting\.$/],
    ['a name of the prototype', `${minimal}__proto__: { s3: { port: 1 } }`, /__proto__ is not a setting/],
    ['a missing name', 'dataDirectory: x', /region is missing/],
    ['a port out of range', `${minimal}s3: { port: 65536 }`, /s3\.port: /],
    ['a value of another kind', `${minimal}s3: { port: "x" }`, /s3\.port: /],
    ['a value that is none of the choices', `${minimal}buckets: { ownership: Nobody }`, /buckets\.ownership: .*BucketOwnerEnforced/],
    ['an account id of another length', `${minimal}credentials: { accountId: "1" }`, /credentials\.accountId: must have 12 digits/],
    ['a region name with capitals', 'region: US\ndataDirectory: x', /region: a region name has/],
    ['an endpoint with a path', `${minimal}regions: [{ name: us-east-1, endpoint: "http://h/p" }]`, /regions\[0\]\.endpoint: must be http/],
    [
      'an unknown name in a region',
      `${minimal}regions: [{ name: us-east-1, endpoint: "http://h", publicURL: x }]`,
      /Did you mean regions\[0\]\.publicUrl/,
    ],
    [
      'a region that is not in the list',
      `${minimal}regions: [{ name: us-west-1, endpoint: "http://127.0.0.1" }]`,
      /Did you mean us-west-1\?/,
    ],
    ['a region twice', `${minimal}regions: [&a { name: us-east-1, endpoint: "http://127.0.0.1" }, *a]`, /regions names us-east-1 twice/],
    ['a key twice', `${minimal}region: x`, /is not YAML: .*unique/],
    ['no YAML at all', 'a: [1', /is not YAML/],
    ['a text instead of names', 'hello', /must hold settings by name/],
    ['a nest of aliases', `a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [${'*a,'.repeat(10)}]\nc: [${'*b,'.repeat(20)}]`, /is not usable YAML/],
    ['a file too large', `${minimal}#${'x'.repeat(1024 * 1024)}`, /too large/],
  ]
  it.each(yaml)('names %s', async (_what, text, message) => {
    await expect(loadSettings({ file: await file(text), environment: {} })).rejects.toThrow(message)
  })

  const variables: readonly [string, Record<string, string>, RegExp][] = [
    ['an unknown variable', { FARSHORE_REGIN: 'x' }, /FARSHORE_REGIN is not a setting\. Did you mean FARSHORE_REGION\?/],
    ['a number that is none', { FARSHORE_S3_PORT: '9000x' }, /FARSHORE_S3_PORT must be a whole number/],
    ['a truth that is none', { FARSHORE_LOG_ACCESS: 'yes' }, /must be true or false/],
    ['a list that is no JSON', { FARSHORE_REGIONS: 'us-east-1' }, /must be JSON/],
    [
      'one setting under two names',
      { FARSHORE_ACCESS_KEY_ID: 'abc', FARSHORE_CREDENTIALS_ROOT_ACCESS_KEY_ID: 'def' },
      /are the same setting/,
    ],
  ]
  it.each(variables)('names %s', async (_what, environment, message) => {
    await expect(loadSettings({ file: await file(minimal), environment })).rejects.toThrow(message)
  })

  it.each([
    ['s3.prot=1', /Did you mean s3\.port\?/],
    ['s3.port', /s3\.port needs a value/],
  ])('refuses the flag %s', async (assignment, message) => {
    await expect(loadSettings({ file: await file(minimal), environment: {}, assignments: [assignment] })).rejects.toThrow(message)
  })

  it('says which file can not be read, and why', async () => {
    await expect(loadSettings({ file: join(folder, 'nowhere.yaml'), environment: {} })).rejects.toThrow(
      /nowhere\.yaml: there is no such file/,
    )
  })

  it('refuses a name, folder or port from the environment for regions that start together', async () => {
    await expect(loadSharedCredentials({ FARSHORE_S3_PORT: '9000' })).rejects.toThrow(/FARSHORE_S3_PORT is for one region alone/)
    await expect(loadSharedCredentials({ FARSHORE_TIERS: '[]' })).rejects.toThrow(/FARSHORE_TIERS is for one region alone/)
    await expect(loadSharedCredentials({ FARSHORE_LOG_LEVEL: 'debug', FARSHORE_ACCESS_KEY_ID: 'key' })).resolves.toEqual({
      rootAccessKeyId: 'key',
    })
  })
})

describe('the complete configuration', () => {
  it('makes the credentials of a lone region once, for its owner alone', async () => {
    const sources = { file: await file(minimal), environment: {} }
    const first = await loadConfig(sources)
    const second = await loadConfig(sources)
    expect(first.madeCredentials).toBe(join(folder, 'data', 'credentials.json'))
    expect(second.madeCredentials).toBeUndefined()
    expect(second.config.credentials).toEqual(first.config.credentials)
    expect(first.config).toMatchObject({
      regions: [{ name: 'us-east-1', endpoint: 'http://127.0.0.1:9000', publicUrl: 'http://127.0.0.1:9000' }],
      endpoint: 'http://127.0.0.1:9000',
      encryption: { default: 'none', masterKeyFile: join(folder, 'data', 'master.key') },
    })
  })

  it('does not make credentials for one of several regions, which must share them', async () => {
    await expect(loadConfig({ file: await file(twoRegions), environment: {} })).rejects.toThrow(/No credentials: accountId, .*config init/)
  })

  it('fills in where clients reach a region', async () => {
    const path = await file(`${twoRegions}credentialsFile: c.json\n`)
    await file(JSON.stringify(credentials), 'c.json')
    const { config } = await loadConfig({ file: path, environment: {} })
    expect(config.regions).toEqual([
      { name: 'us-east-1', endpoint: 'http://127.0.0.1:9000', publicUrl: 'http://127.0.0.1:9000' },
      { name: 'eu-west-1', endpoint: 'http://127.0.0.1:9100', publicUrl: 'https://eu.example.net' },
    ])
    expect(config.publicUrl).toBe('http://127.0.0.1:9000')
  })

  it('reads a secret from the file that holds it, without its last line end', async () => {
    const path = await file(`${minimal}credentialsFile: c.json\n`)
    await file(JSON.stringify(credentials), 'c.json')
    const secret = await file('from-a-file-of-its-own\n', 'secret')
    const { config } = await loadConfig({ file: path, environment: { FARSHORE_SECRET_ACCESS_KEY_FILE: secret } })
    expect(config.credentials).toEqual({ ...credentials, rootSecretAccessKey: 'from-a-file-of-its-own' })
  })

  it('refuses a secret given by value and by file at once', async () => {
    const environment = { FARSHORE_SECRET_ACCESS_KEY: 'abcdefgh', FARSHORE_SECRET_ACCESS_KEY_FILE: '/x' }
    await expect(loadConfig({ file: await file(minimal), environment })).rejects.toThrow(/both given|keep one/)
  })

  it('refuses peers that speak plain http:// beyond this machine, unless told to', async () => {
    const path = await file(twoRegions.replace('http://127.0.0.1:9100/', 'http://eu.example.net:9000'))
    await expect(loadSettings({ file: path, environment: {} })).rejects.toThrow(/endpoint of eu-west-1 is plain http/)
    await expect(loadSettings({ file: path, environment: { FARSHORE_INSECURE_PEERS: 'true' } })).resolves.toMatchObject({
      insecurePeers: true,
    })
    const admin = await file(twoRegions.replace('publicUrl: "https://eu.example.net"', 'admin: "http://eu.example.net:9001"'))
    await expect(loadSettings({ file: admin, environment: {} })).rejects.toThrow(/admin address of eu-west-1 is plain http/)
  })

  it.each(['minioadmin', 'MinioAdmin', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'short'])(
    'refuses the secret %s off loopback only',
    async (secret) => {
      const path = await file(minimal)
      const environment = { FARSHORE_SECRET_ACCESS_KEY: secret }
      await expect(loadConfig({ file: path, environment })).resolves.toMatchObject({
        config: { credentials: { rootSecretAccessKey: secret } },
      })
      for (const listener of ['FARSHORE_S3_HOST', 'FARSHORE_ADMIN_HOST']) {
        await expect(loadConfig({ file: path, environment: { ...environment, [listener]: '0.0.0.0' } })).rejects.toThrow(
          /well-known or short secret/,
        )
      }
    },
  )

  it('refuses a credentials file that is none, without showing what it holds', async () => {
    const path = await file(`${minimal}credentialsFile: c.json\n`)
    await file(JSON.stringify({ ...credentials, accountId: 'hidden-value' }), 'c.json')
    const failure = await loadConfig({ file: path, environment: {} }).catch((error: unknown) => String(error))
    expect(failure).toMatch(/c\.json is not a credentials file of farshore \(accountId\)/)
    expect(failure).not.toContain('hidden-value')
  })

  it('shows settings without secrets', async () => {
    const path = await file(`${minimal}credentials: { rootSecretAccessKey: hush-hush, peeringSecret: whisper, rootAccessKeyId: root }`)
    const shown = JSON.stringify(withoutSecrets(await loadSettings({ file: path, environment: {} })))
    expect(shown).not.toMatch(/hush-hush|whisper/)
    expect(shown).toContain('"rootAccessKeyId":"root"')
  })
})

describe('tiers', () => {
  const withTiers = (tiers: string): Promise<string> => file(`${minimal}tiers:\n${tiers}`)
  const bucket = (more = 'secretAccessKey: hush-hush-hush'): string =>
    `bucket: { endpoint: "https://s3.test", region: eu-west-1, name: vault, prefix: cold/, accessKeyId: AKIAVAULT, ${more} }`

  it('come with absolute paths, and with the secret from its file', async () => {
    const secret = await file('from-a-file-of-its-own\n', 'vault-secret')
    const path = await withTiers(`  - { name: slow, classes: [GLACIER, GLACIER_IR], folder: mnt/slow }
  - { name: vault, classes: [DEEP_ARCHIVE], ${bucket('secretAccessKeyFile: vault-secret')} }`)
    expect((await loadSettings({ file: path, environment: {} })).tiers[1]?.bucket?.secretAccessKeyFile).toBe(secret)
    const { config } = await loadConfig({ file: path, environment: {} })
    const place = { endpoint: 'https://s3.test', region: 'eu-west-1', name: 'vault', prefix: 'cold/', accessKeyId: 'AKIAVAULT' }
    expect(config.tiers).toEqual([
      { name: 'slow', classes: ['GLACIER', 'GLACIER_IR'], folder: join(folder, 'mnt', 'slow') },
      { name: 'vault', classes: ['DEEP_ARCHIVE'], bucket: { ...place, secretAccessKey: 'from-a-file-of-its-own' } },
    ])
  })

  it('come from the environment as JSON', async () => {
    const environment = { FARSHORE_TIERS: JSON.stringify([{ name: 'slow', classes: [], folder: '/mnt/slow' }]) }
    expect((await loadSettings({ file: await file(minimal), environment })).tiers).toEqual([
      { name: 'slow', classes: [], folder: '/mnt/slow' },
    ])
  })

  it('are shown without secrets', async () => {
    const path = await withTiers(`  - { name: vault, classes: [], ${bucket()} }`)
    const shown = JSON.stringify(withoutSecrets(await loadSettings({ file: path, environment: {} })))
    expect(shown).not.toContain('hush-hush-hush')
    expect(shown).toContain('AKIAVAULT')
  })

  it.each([
    [
      'STANDARD, which stays where it is',
      '  - { name: a, classes: [STANDARD], folder: x }',
      /STANDARD is what every object has that asks for nothing else/,
    ],
    ['no class of S3', '  - { name: a, classes: [SLOW], folder: x }', /tiers\[0\]\.classes\[0\]: must be a storage class of S3/],
    ['neither folder nor bucket', '  - { name: a, classes: [] }', /tiers\[0\]: a tier has either folder or bucket/],
    ['both', `  - { name: a, classes: [], folder: x, ${bucket()} }`, /a tier has either folder or bucket/],
    ['a name that is none', '  - { name: A_b, classes: [], folder: x }', /tiers\[0\]\.name: a tier name has/],
    ['the name of the built-in one', '  - { name: cold, classes: [], folder: x }', /cold is the tier of this name that every region has/],
    ['a name twice', '  - { name: a, classes: [], folder: x }\n  - { name: a, classes: [], folder: y }', /a name is in one tier at most/],
    [
      'a class twice',
      '  - { name: a, classes: [GLACIER], folder: x }\n  - { name: b, classes: [GLACIER], folder: y }',
      /a storage class is in one/,
    ],
    [
      'a folder twice',
      '  - { name: a, classes: [], folder: x }\n  - { name: b, classes: [], folder: ./x/ }',
      /a folder is in one tier at most/,
    ],
    [
      'a bucket twice',
      `  - { name: a, classes: [], ${bucket()} }\n  - { name: b, classes: [], ${bucket()} }`,
      /a bucket and prefix is in one/,
    ],
    [
      'a prefix that climbs',
      `  - { name: a, classes: [], ${bucket('prefix: a/../b')} }`.replace('prefix: cold/, ', ''),
      /bucket\.prefix: must have/,
    ],
    ['an unknown name', '  - { name: a, classes: [], foldr: x }', /tiers\[0\]\.foldr is not a setting\. Did you mean tiers\[0\]\.folder\?/],
    [
      'an unknown name of a bucket',
      `  - { name: a, classes: [], ${bucket('acessKeyId: x')} }`,
      /Did you mean tiers\[0\]\.bucket\.accessKeyId\?/,
    ],
  ])('are refused with %s', async (_, tiers, message) => {
    await expect(loadSettings({ file: await withTiers(tiers), environment: {} })).rejects.toThrow(message)
  })

  it.each([
    ['no secret', 'prefix: ""', /tiers: vault: bucket\.secretAccessKey is missing/],
    ['two', 'secretAccessKey: hush-hush-hush, secretAccessKeyFile: x', /bucket\.secretAccessKey and .*File are both given/],
    ['a file that is not there', 'secretAccessKeyFile: nowhere', /nowhere: there is no such file/],
  ])('are refused with a bucket that has %s', async (_, more, message) => {
    const path = await withTiers(`  - { name: vault, classes: [], ${bucket(more).replace('prefix: cold/, ', '')} }`)
    const failure = await loadConfig({ file: path, environment: {} }).catch((error: unknown) => String(error))
    expect(failure).toMatch(message)
    expect(failure).not.toContain('hush-hush-hush')
  })
})

describe('nearest', () => {
  it.each([
    ['prot', 'port'],
    ['S3.PORT', 's3.port'],
    ['entirely-different', undefined],
  ])('takes %s for %s', (name, expected) => {
    expect(nearest(name, ['port', 's3.port', 'region'])).toBe(expected)
  })

  it('does not spend time on a name of 10 MB', () => {
    expect(nearest('x'.repeat(10_000_000), ['port', 's3.port', 'region'])).toBeUndefined()
  })
})

const credentials = {
  accountId: '123456789012',
  canonicalId: 'a'.repeat(64),
  rootAccessKeyId: 'root-key',
  rootSecretAccessKey: 'root-secret-of-the-test',
  peeringSecret: 'peering-secret-of-the-test',
}
