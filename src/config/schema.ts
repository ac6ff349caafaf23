/**
 * The settings of one region: names, defaults, limits and the words that explain them. The reference page and the JSON Schema are made from this.
 * What a start really runs with is `Config` (resolve.ts): these settings, completed.
 */
import { z } from 'zod'
import { type StorageClass, storageClasses } from '../model/storage-class.ts'
import { tierNamePattern } from '../model/tier-refs.ts'

const mebibyte = 1024 * 1024

export const regionName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, 'a region name has 1 to 32 of a-z, 0-9 and inner hyphens')

const port = z.int().min(0).max(65535)
const host = z.string().min(1).max(255)
const httpUrl = z
  .string()
  .refine(isHttpOrigin, 'must be http:// or https:// with a host and, where needed, a port, and nothing behind')
  .transform((text) => text.replace(/\/$/, ''))
const path = z.string().min(1).max(4096)
// `writeOnly` is JSON Schema's word for a value that is taken and never shown.
const secret = z.string().min(1).max(512).meta({ writeOnly: true })

const region = z.strictObject({
  name: regionName.describe('The name that clients put in the scope of a signature and in a location constraint.'),
  endpoint: httpUrl.describe('Where the other regions reach its S3 port.'),
  publicUrl: httpUrl.optional().describe('Where clients reach its S3 port, as redirects to it say. Absent: the endpoint.'),
  admin: httpUrl
    .optional()
    .describe('Where the consoles of the other regions reach its admin port. Absent: they show what S3 and IAM say of it, and no more.'),
})

const s3 = z.strictObject({
  host: host.default('127.0.0.1').describe('The address to listen on. 0.0.0.0 or :: is every one of this machine.'),
  port: port.default(9000).describe('0 takes any free port.'),
})

const admin = z.strictObject({
  host: host.default('127.0.0.1').describe('The address to listen on.'),
  port: port.default(9001).describe('0 takes any free port.'),
})

const oidc = z.strictObject({
  issuer: z
    .string()
    .max(255)
    .regex(
      /^(https:\/\/[^\s?#]+|http:\/\/(127\.0\.0\.1|localhost)(:[0-9]+)?(\/[^\s?#]*)?)$/,
      'must be an https:// address, or http:// of this machine',
    )
    .describe('As it stands in the tokens. Its keys are found by discovery.'),
  audiences: z.array(z.string().min(1).max(255)).min(1).max(100).describe('For whom a token must be: one of these.'),
})

const credentials = z.strictObject({
  accountId: z
    .string()
    .regex(/^[0-9]{12}$/, 'must have 12 digits')
    .optional()
    .describe('The account that owns everything, as it stands in ARNs. The same in every region.'),
  canonicalId: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must have 64 hex digits')
    .optional()
    .describe('The same account, as it stands in ACLs and as the owner of objects. The same in every region.'),
  rootAccessKeyId: z
    .string()
    .regex(/^[\w.-]{3,128}$/, 'must have 3 to 128 letters, digits, dots, hyphens and underscores')
    .optional()
    .describe('The access key id of the root user.'),
  rootAccessKeyIdFile: path.optional().describe('A file that holds `rootAccessKeyId`.'),
  rootSecretAccessKey: secret.optional().describe('The secret access key of the root user.'),
  rootSecretAccessKeyFile: path.optional().describe('A file that holds `rootSecretAccessKey`.'),
  peeringSecret: secret.optional().describe('What the regions prove themselves to each other with. The same in every region.'),
  peeringSecretFile: path.optional().describe('A file that holds `peeringSecret`.'),
})

const encryption = z.strictObject({
  default: z
    .enum(['none', 'AES256'])
    .default('none')
    .describe('AES256 encrypts every new object, as AWS does now. none encrypts where a request or its bucket asks for it.'),
  masterKeyFile: path
    .optional()
    .describe(
      'A file with 64 hex digits: the key that seals the keys of objects. Absent: `master.key` in the data directory, made at the first start.',
    ),
})

const buckets = z.strictObject({
  ownership: z
    .enum(['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'])
    .default('BucketOwnerEnforced')
    .describe('Object ownership of a new bucket that asks for none. BucketOwnerEnforced switches its ACLs off.'),
  publicAccessBlock: z.boolean().default(true).describe('Whether a new bucket starts with all public access blocked.'),
})

const limits = z.strictObject({
  maxConnections: z.int().min(1).max(1_000_000).default(4096).describe('Connections to the S3 port at one time.'),
  maxRequests: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1024)
    .describe(
      'Requests that are worked at at one time; one that waits for its client is not. The next are answered 503 SlowDown with Retry-After.',
    ),
  headersTimeoutMs: z.int().min(100).max(600_000).default(30_000).describe('The time a client has to send the head of a request.'),
  idleTimeoutMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(60_000)
    .describe('The time in which a body must move by at least a byte, either way.'),
  keepAliveTimeoutMs: z.int().min(0).max(3_600_000).default(75_000).describe('How long a connection is kept between two requests.'),
  drainTimeoutMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(20_000)
    .describe('How long requests in flight may take to end when the region stops.'),
})

const compaction = z.strictObject({
  bytesPerSecond: z
    .int()
    .min(64 * 1024)
    .default(32 * mebibyte)
    .describe('How much of what still lives in mostly dead segments is copied, so that their space comes back.'),
})

const scrub = z.strictObject({
  periodDays: z.int().min(1).max(3650).default(30).describe('Everything is read once in this time, to find what the disk has changed.'),
  bytesPerSecond: z
    .int()
    .min(64 * 1024)
    .default(16 * mebibyte)
    .describe('How much is read for it. What this does not reach in a period takes longer.'),
})

const lifecycle = z.strictObject({
  daySeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(86_400)
    .describe('How long a day of lifecycle rules lasts. Shorter is for trying rules out: versions are removed and moved that much sooner.'),
})

const restoreDelay = (what: string) => z.int().min(0).max(604_800).default(0).describe(`Of a restore that asks for ${what}.`)

const archive = z.strictObject({
  bytesPerSecond: z
    .int()
    .min(64 * 1024)
    .default(64 * mebibyte)
    .describe(
      'How much is read for moves to tiers and for restores. What is moved is read twice: to copy it, and back from where it is then.',
    ),
  concurrency: z.int().min(1).max(64).default(4).describe('Versions that are moved or restored at one time.'),
  restoreDelaySeconds: z
    .strictObject({ standard: restoreDelay('Standard'), bulk: restoreDelay('Bulk'), expedited: restoreDelay('Expedited') })
    .prefault({})
    .describe('How long an archived object stays archived after its restore was asked for.'),
})

const log = z.strictObject({
  level: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('What is logged: this level and above.'),
  access: z.boolean().default(false).describe('Whether each request is logged. It costs about half of the requests per second.'),
})

const mappableClass = z.enum(
  storageClasses.filter((name) => name !== 'STANDARD'),
  {
    error: ({ input }) =>
      input === 'STANDARD'
        ? 'STANDARD is what every object has that asks for nothing else, and is served at the speed of the data directory: it stays there'
        : 'must be a storage class of S3, as GLACIER or STANDARD_IA',
  },
)

const tierBucket = z.strictObject({
  endpoint: httpUrl.describe('The S3 server: `https://host:port`.'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be the name of a region, as it stands in signatures')
    .describe('The region of the bucket.'),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
    .describe('The bucket.'),
  prefix: z
    .string()
    .max(512)
    .regex(/^((?!\.\.?(\/|$))[\w.-]+(\/|$))*$/, 'must have letters, digits, dots, hyphens and underscores, and single slashes between')
    .default('')
    .describe('What every key there begins with.'),
  accessKeyId: z
    .string()
    .regex(/^[\w.-]{3,128}$/, 'must have 3 to 128 letters, digits, dots, hyphens and underscores')
    .describe('A key of a user who may read, write, delete and list below the prefix.'),
  secretAccessKey: secret.optional().describe('Its secret.'),
  secretAccessKeyFile: path.optional().describe('A file that holds `secretAccessKey`.'),
})

const tier = z
  .strictObject({
    name: z
      .string()
      .regex(tierNamePattern, 'a tier name has 1 to 32 of a-z, 0-9 and hyphens')
      .refine((name) => name !== 'cold', 'cold is the tier of this name that every region has')
      .describe('What objects there remember it by: it stays while they do.'),
    classes: z
      .array(mappableClass)
      .max(32)
      .describe('The storage classes whose bytes belong there. None: it takes nothing more, and what lies there stays.'),
    folder: path.optional().describe('A folder: a slower, bigger disk.'),
    bucket: tierBucket.optional().describe('Or a bucket of any S3 server, for this region alone.'),
  })
  .refine(({ folder, bucket }) => (folder === undefined) !== (bucket === undefined), 'a tier has either folder or bucket')

export const settingsSchema = z
  .strictObject({
    region: regionName.describe('The name of this region, one of `regions`.'),
    dataDirectory: path.describe('The folder that holds everything this region keeps. One server at a time.'),
    s3: s3.prefault({}).describe('The listener for S3, IAM and STS, and for the other regions.'),
    admin: admin.prefault({}).describe('The listener for the console and the admin API.'),
    domains: z
      .array(z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be a lower-case host name'))
      .max(64)
      .default([])
      .describe('Host names under which `bucket.name` addresses a bucket (virtual-host style). Any other host means path style.'),
    oidc: z.array(oidc).max(16).default([]).describe('Issuers whose tokens AssumeRoleWithWebIdentity takes. The same in every region.'),
    regions: z
      .array(region)
      .min(1)
      .max(64)
      .optional()
      .describe(
        'All regions, this one among them, in the same order everywhere: the first is home at the very first start. Absent: this one alone.',
      ),
    insecurePeers: z.boolean().default(false).describe('Lets regions speak plain http:// to each other beyond this machine.'),
    credentialsFile: path
      .optional()
      .describe(
        'The JSON file that holds what `credentials` leaves out. Absent: `credentials.json` in the data directory, made at the first start of a lone region.',
      ),
    credentials: credentials
      .prefault({})
      .describe('The account and its secrets. Each that is given here goes before the credentials file.'),
    encryption: encryption.prefault({}).describe('Encryption at rest with keys of this server (SSE-S3).'),
    buckets: buckets.prefault({}).describe('What a new bucket starts with.'),
    tiers: z
      .array(tier)
      .max(16)
      .refine(...eachOnce('a name', (tiers) => tiers.map(({ name }) => name)))
      .refine(...eachOnce('a storage class', (tiers) => tiers.flatMap(({ classes }) => classes)))
      .refine(...eachOnce('a folder', (tiers) => tiers.flatMap(({ folder }) => folder ?? [])))
      .refine(...eachOnce('a bucket and prefix', (tiers) => tiers.flatMap(({ bucket }) => (bucket ? placeOf(bucket) : []))))
      .default([])
      .describe(
        "Where the bytes of storage classes live that are not to be on the data directory's disk (docs/tiers.md). GLACIER, DEEP_ARCHIVE and GLACIER_IR that none names: compressed in `cold` below the data directory.",
      ),
    reserveBytes: z
      .int()
      .min(mebibyte)
      .default(64 * mebibyte)
      .describe('Below this free space new data is refused with 503; deletes and what settles go on.'),
    workers: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .describe(
        'Threads that serve the S3 port. 1: everything in one thread. Absent: one for each core, at most 4; 1 where the system cannot spread connections.',
      ),
    compaction: compaction.prefault({}).describe('Space of deleted and overwritten small objects.'),
    scrub: scrub.prefault({}).describe('Reading everything again and again, so that rot is found before it is needed.'),
    lifecycle: lifecycle.prefault({}).describe('Lifecycle rules of buckets.'),
    archive: archive.prefault({}).describe('Moves of objects between the disk and tiers, and restores (docs/archive.md).'),
    limits: limits.prefault({}).describe('Limits on connections and on time.'),
    log: log.prefault({}).describe('The log, JSON lines on stderr.'),
  })
  .describe('The settings of one Farshore region.')

/** As checked: with defaults, not yet completed from other files. */
export type Settings = z.output<typeof settingsSchema>

export interface RegionAddress {
  readonly name: string
  readonly endpoint: string
  readonly publicUrl: string
  /** Of its admin port, for the consoles of the others. */
  readonly admin?: string
}

/** The account that owns everything, and the secrets of the deployment: equal in every region. */
export interface Credentials {
  readonly accountId: string
  readonly canonicalId: string
  readonly rootAccessKeyId: string
  readonly rootSecretAccessKey: string
  readonly peeringSecret: string
}

type Completed = 'regions' | 'credentials' | 'credentialsFile' | 'encryption' | 'tiers' | 'workers'

type TierSettings = Settings['tiers'][number]

/** A tier whose secret has been read, wherever it was. */
export interface Tier extends Readonly<Pick<TierSettings, 'name' | 'folder'>> {
  readonly classes: readonly StorageClass[]
  readonly bucket?: Omit<NonNullable<TierSettings['bucket']>, 'secretAccessKey' | 'secretAccessKeyFile'> & {
    readonly secretAccessKey: string
  }
}

/** What a region runs with: every setting checked and completed, all paths absolute. */
export interface Config extends Readonly<Omit<Settings, Completed>> {
  /** All regions in their order, this one among them. */
  readonly regions: readonly RegionAddress[]
  /** This region's own entry of `regions`, for peers and for clients. */
  readonly endpoint: string
  readonly publicUrl: string
  readonly credentials: Credentials
  readonly workers: number
  readonly tiers: readonly Tier[]
  readonly encryption: { readonly default: 'none' | 'AES256'; readonly masterKeyFile: string }
}

function isHttpOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, pathname, search, hash, username, hostname } = new URL(text)
  return /^https?:$/.test(protocol) && hostname !== '' && pathname === '/' && search + hash + username === ''
}

interface TierPlaces {
  readonly name: string
  readonly classes: readonly string[]
  readonly folder?: string | undefined
  readonly bucket?: { readonly endpoint: string; readonly name: string; readonly prefix: string } | undefined
}

/** The check, and what it says. */
function eachOnce(
  what: string,
  valuesOf: (tiers: readonly TierPlaces[]) => readonly string[],
): [(tiers: readonly TierPlaces[]) => boolean, string] {
  const isOnce = (tiers: readonly TierPlaces[]): boolean => new Set(valuesOf(tiers)).size === valuesOf(tiers).length
  return [isOnce, `${what} is in one tier at most`]
}

function placeOf({ endpoint, name, prefix }: NonNullable<TierPlaces['bucket']>): string {
  return `${endpoint}/${name}/${prefix}`
}
