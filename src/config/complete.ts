/** From checked settings to what a region runs with: files read, addresses derived, dangerous combinations refused. */
import { readFile } from 'node:fs/promises'
import { availableParallelism, platform } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from './config-error.ts'
import { type GivenCredentials, keepCredentials, readCredentials } from './credentials.ts'
import { cannotRead } from './files.ts'
import { isLoopback } from './loopback.ts'
import { didYouMean } from './nearest.ts'
import type { Config, Credentials, RegionAddress, Settings, Tier } from './schema.ts'

export interface LoadedConfig {
  readonly config: Config
  /** The file in which credentials were made just now; the operator is told once. */
  readonly madeCredentials: string | undefined
}

/** Beyond these the thread that commits has no time for more. */
const workersMax = 4

/** @throws ConfigError */
export async function complete(settings: Settings): Promise<LoadedConfig> {
  const { regions, own } = resolveRegions(settings)
  const file = settings.credentialsFile ?? join(settings.dataDirectory, 'credentials.json')
  const { credentials, isNew } = await credentialsOf(settings, file, regions.length === 1 && settings.credentialsFile === undefined)
  checkSecrets(settings, credentials)
  const { default: standard, masterKeyFile = join(settings.dataDirectory, 'master.key') } = settings.encryption
  const { credentialsFile: _file, ...rest } = settings
  return {
    config: {
      ...rest,
      regions,
      endpoint: own.endpoint,
      publicUrl: own.publicUrl,
      credentials,
      workers: settings.workers ?? defaultWorkers(),
      tiers: await Promise.all(settings.tiers.map(completeTier)),
      encryption: { default: standard, masterKeyFile },
    },
    madeCredentials: isNew ? file : undefined,
  }
}

/** Linux spreads connections over listeners that share a port; other systems give them all to one. */
function defaultWorkers(): number {
  return platform() === 'linux' ? Math.min(availableParallelism(), workersMax) : 1
}

/** All regions and this one among them. @throws ConfigError when it is not, or when peers would speak in the clear */
export function resolveRegions(settings: Settings): { readonly regions: readonly RegionAddress[]; readonly own: RegionAddress } {
  const regions = regionsOf(settings)
  const own = regions.find((candidate) => candidate.name === settings.region)
  if (own === undefined) {
    const names = regions.map((candidate) => candidate.name)
    throw new ConfigError(`region ${settings.region} is not one of regions (${names.join(', ')}).${didYouMean(settings.region, names)}`)
  }
  if (!settings.insecurePeers) checkPeers(regions)
  return { regions, own }
}

/** The pieces of `credentials` that are given, by value or by file. */
export async function givenCredentials(settings: Pick<Settings, 'credentials'>): Promise<GivenCredentials> {
  const given = settings.credentials
  return {
    ...(given.accountId === undefined ? {} : { accountId: given.accountId }),
    ...(given.canonicalId === undefined ? {} : { canonicalId: given.canonicalId }),
    ...(await oneOf('rootAccessKeyId', { where: 'credentials', value: given.rootAccessKeyId, file: given.rootAccessKeyIdFile })),
    ...(await oneOf('rootSecretAccessKey', {
      where: 'credentials',
      value: given.rootSecretAccessKey,
      file: given.rootSecretAccessKeyFile,
    })),
    ...(await oneOf('peeringSecret', { where: 'credentials', value: given.peeringSecret, file: given.peeringSecretFile })),
  }
}

/** Secrets that stand in everybody's documentation. */
const knownSecrets: ReadonlySet<string> = new Set(
  [
    'minioadmin',
    'minio123',
    'rustfsadmin',
    'admin',
    'password',
    'secret',
    'changeme',
    'test',
    'farshore',
    'seaweedfs',
    'garage',
    'localstack',
  ].flatMap((word) => [word, `${word}123`]),
)
const secretLengthMin = 8 // As short as other servers of this kind accept.

function regionsOf(settings: Settings): readonly RegionAddress[] {
  const listed: NonNullable<Settings['regions']> = settings.regions ?? [
    { name: settings.region, endpoint: `http://127.0.0.1:${settings.s3.port}` },
  ]
  const names = listed.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new ConfigError(`regions names ${twice} twice.`)
  return listed.map(({ name, endpoint, publicUrl, admin }) => ({
    name,
    endpoint,
    publicUrl: publicUrl ?? endpoint,
    ...(admin !== undefined && { admin }),
  }))
}

function checkPeers(regions: readonly RegionAddress[]): void {
  // A lone region has no peers, whatever its own address is.
  if (regions.length === 1) return
  const isOpen = (address: string): boolean => address.startsWith('http:') && !isLoopback(new URL(address).hostname)
  const open = regions.flatMap(({ name, endpoint, admin }) => [
    ...(isOpen(endpoint) ? [`endpoint of ${name}`] : []),
    ...(admin !== undefined && isOpen(admin) ? [`admin address of ${name}`] : []),
  ])
  if (open[0] === undefined) return
  throw new ConfigError(`The ${open[0]} is plain http:// beyond this machine. Use https://, or set insecurePeers on a network you trust.`)
}

async function credentialsOf(settings: Settings, file: string, mayMake: boolean): Promise<{ credentials: Credentials; isNew: boolean }> {
  const given = await givenCredentials(settings)
  const known = await readCredentials(file)
  const merged = { ...known, ...given }
  if (isWhole(merged)) return { credentials: merged, isNew: false }
  if (mayMake) return keepCredentials(file, given)
  const missing = credentialNames.filter((name) => merged[name] === undefined)
  throw new ConfigError(
    `No credentials: ${missing.join(', ')} neither given nor in ${file}. They must be the same in every region; farshore config init makes them.`,
  )
}

const credentialNames = ['accountId', 'canonicalId', 'rootAccessKeyId', 'rootSecretAccessKey', 'peeringSecret'] as const

function isWhole(credentials: GivenCredentials): credentials is Credentials {
  return credentialNames.every((name) => credentials[name] !== undefined)
}

function checkSecrets(settings: Settings, credentials: Credentials): void {
  if (!isLoopback(settings.s3.host) || !isLoopback(settings.admin.host)) refuseKnownSecrets(credentials)
}

/** What is not for the eyes of a network. @throws ConfigError naming the secret */
export function refuseKnownSecrets({ rootSecretAccessKey, peeringSecret }: GivenCredentials): void {
  for (const [name, value] of Object.entries({ rootSecretAccessKey, peeringSecret })) {
    if (value === undefined) continue
    if (value.length >= secretLengthMin && !value.includes('EXAMPLE') && !knownSecrets.has(value.toLowerCase())) continue
    throw new ConfigError(
      `credentials.${name} is a well-known or short secret. That is accepted only while the region listens on 127.0.0.1 alone.`,
    )
  }
}

async function completeTier({ bucket, ...tier }: Settings['tiers'][number]): Promise<Tier> {
  if (bucket === undefined) return tier
  const { secretAccessKey: value, secretAccessKeyFile: file, ...place } = bucket
  const where = `tiers: ${tier.name}: bucket`
  const { secretAccessKey } = await oneOf('secretAccessKey', { where, value, file })
  if (secretAccessKey === undefined) throw new ConfigError(`${where}.secretAccessKey is missing, and secretAccessKeyFile too.`)
  return { ...tier, bucket: { ...place, secretAccessKey } }
}

interface Given {
  /** For people: the group that the name stands in. */
  readonly where: string
  readonly value: string | undefined
  readonly file: string | undefined
}

async function oneOf<Name extends string>(name: Name, { where, value, file }: Given): Promise<{ [K in Name]?: string }> {
  if (value !== undefined && file !== undefined)
    throw new ConfigError(`${where}.${name} and ${where}.${name}File are both given; keep one of them.`)
  if (file === undefined) return value === undefined ? {} : nameTo(name, value)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw cannotRead(file, cause)
  })
  const read = text.replace(/\r?\n$/, '')
  if (read === '' || read.length > 512 || /\s/.test(read)) throw new ConfigError(`${file} must hold ${name} on one line and nothing else.`)
  return nameTo(name, read)
}

function nameTo<Name extends string>(name: Name, value: string): { [K in Name]?: string } {
  // A computed key is typed as an index; it is exactly this one.
  return { [name]: value } as { [K in Name]?: string }
}
