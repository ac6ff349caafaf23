/** The settings as a flat list: what environment variables, messages and the reference page are made from. */
import { z } from 'zod'
import { type Settings, settingsSchema } from './schema.ts'

export interface Setting {
  /** `s3.port` */
  readonly name: string
  readonly path: readonly string[]
  /** `FARSHORE_S3_PORT`, and shorter names for what everybody sets. */
  readonly variables: readonly string[]
  readonly kind: 'text' | 'integer' | 'boolean' | 'list' | 'structured'
  /** A file or folder, taken relative to where it was written. */
  readonly isPath: boolean
  readonly isSecret: boolean
  readonly isRequired: boolean
  readonly description: string
  readonly defaultValue: unknown
  readonly choices: readonly string[] | undefined
}

/** The part of JSON Schema that our settings use. */
interface SchemaNode {
  readonly type?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly required?: readonly string[]
  readonly enum?: readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly writeOnly?: boolean
}

const shortVariables: Readonly<Record<string, string>> = {
  'credentials.rootAccessKeyId': 'FARSHORE_ACCESS_KEY_ID',
  'credentials.rootAccessKeyIdFile': 'FARSHORE_ACCESS_KEY_ID_FILE',
  'credentials.rootSecretAccessKey': 'FARSHORE_SECRET_ACCESS_KEY',
  'credentials.rootSecretAccessKeyFile': 'FARSHORE_SECRET_ACCESS_KEY_FILE',
}

/** The settings as JSON Schema, as a file may write them. */
export function settingsJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(settingsSchema, { io: 'input' })
}

export function listSettings(): readonly Setting[] {
  // The schema is our own and uses only what SchemaNode names.
  return leavesOf(settingsJsonSchema() as SchemaNode, [])
}

/** What an entry of a list has, or a group within such an entry: each name with its meaning. */
export function entryMeanings(list: string, group?: string): readonly (readonly [name: string, meaning: string])[] {
  const entry = (settingsJsonSchema() as SchemaNode).properties?.[list]?.items // as above
  const node = group === undefined ? entry : entry?.properties?.[group]
  return Object.entries(node?.properties ?? {}).map(([name, { description = '' }]) => [name, description])
}

function leavesOf(node: SchemaNode, path: readonly string[]): Setting[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const here = [...path, key]
    if (child.properties !== undefined) return leavesOf(child, here)
    return [settingOf(child, here, node.required?.includes(key) ?? false)]
  })
}

function settingOf(node: SchemaNode, path: readonly string[], isRequired: boolean): Setting {
  const name = path.join('.')
  const short = shortVariables[name]
  return {
    name,
    path,
    variables: [...(short === undefined ? [] : [short]), variableOf(path)],
    kind: kindOf(node),
    isPath: /File$|^dataDirectory$/.test(name),
    isSecret: node.writeOnly === true,
    isRequired,
    description: node.description ?? '',
    defaultValue: node.default,
    choices: node.enum,
  }
}

function kindOf(node: SchemaNode): Setting['kind'] {
  if (node.type === 'integer' || node.type === 'boolean') return node.type
  if (node.type === 'array') return node.items?.type === 'string' ? 'list' : 'structured'
  return 'text'
}

/** `['buckets', 'publicAccessBlock']` → `FARSHORE_BUCKETS_PUBLIC_ACCESS_BLOCK` */
function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`))
  return `FARSHORE_${words.join('_')}`.toUpperCase()
}

/** A copy for people to see: what was given stays visible as given, its value does not. */
export function withoutSecrets(settings: Settings): Settings {
  const hidden = Object.entries(settings.credentials).map(([key, value]) => [key, secretNames().has(key) ? '(hidden)' : value])
  return {
    ...settings,
    credentials: Object.fromEntries(hidden) as Settings['credentials'], // The same keys, each still text.
    tiers: settings.tiers.map(withoutSecretOfTier),
  }
}

function withoutSecretOfTier(tier: Settings['tiers'][number]): Settings['tiers'][number] {
  return tier.bucket?.secretAccessKey === undefined ? tier : { ...tier, bucket: { ...tier.bucket, secretAccessKey: '(hidden)' } }
}

function secretNames(): ReadonlySet<string | undefined> {
  return new Set(listSettings().flatMap((setting) => (setting.isSecret ? [setting.path.at(-1)] : [])))
}
