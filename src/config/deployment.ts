/**
 * Several regions on one machine, side by side under one folder:
 * `deployment.json` (who runs where), `credentials.json` (0600) and for each region `REGION/config.yaml` beside its data.
 */
import { join, relative } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { readCredentials } from './credentials.ts'
import { readFileIfThere, writeFileSafely } from './files.ts'
import { type Credentials, regionName } from './schema.ts'

const origin = z.string().regex(/^https?:\/\/[^/]+$/)
const deploymentSchema = z.strictObject({
  version: z.literal(1),
  regions: z.array(z.strictObject({ region: regionName, s3: origin, console: origin })).min(1),
})

/** What `deployment.json` says. `console` is also the address of the admin API. */
export type Deployment = z.output<typeof deploymentSchema>
export type DeployedRegion = Deployment['regions'][number]

export interface DeploymentFiles {
  readonly deployment: string
  readonly credentials: string
}

export function deploymentFiles(directory: string): DeploymentFiles {
  return { deployment: join(directory, 'deployment.json'), credentials: join(directory, 'credentials.json') }
}

/** The folder of one region: its data, its `config.yaml`, its `farshore.log`. */
export function regionFolder(directory: string, region: string): string {
  return join(directory, region)
}

export function configFile(directory: string, region: string): string {
  return join(regionFolder(directory, region), 'config.yaml')
}

/** Regions side by side on 127.0.0.1: the S3 port `basePort + 100 i`, console and admin API one above. */
export function planDeployment(names: readonly string[], basePort: number): Deployment {
  const last = basePort + portStep * (names.length - 1) + 1
  if (basePort < 1 || last > portMax) throw new ConfigError(`The ports ${basePort} to ${last} are not all between 1 and ${portMax}.`)
  return {
    version: 1,
    regions: names.map((region, i) => {
      const port = basePort + portStep * i
      return { region, s3: `http://127.0.0.1:${port}`, console: `http://127.0.0.1:${port + 1}` }
    }),
  }
}

/** @returns undefined when nothing was ever started there */
export async function readDeployment(directory: string): Promise<Deployment | undefined> {
  const file = deploymentFiles(directory).deployment
  const text = await readFileIfThere(file)
  if (text === undefined) return undefined
  try {
    return deploymentSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new ConfigError(`${file} is not a deployment file of this version of farshore.`, { cause })
  }
}

/** What a command needs to speak to the regions that run under a folder. @throws ConfigError when none were started there */
export async function openDeployment(directory: string): Promise<{ deployment: Deployment; credentials: Credentials }> {
  const deployment = await readDeployment(directory)
  const credentials = await readCredentials(deploymentFiles(directory).credentials)
  if (deployment === undefined || credentials === undefined) {
    throw new ConfigError(
      `There is no deployment in ${directory}. farshore up --data ${directory} makes one. One that stands in another folder is named by --data DIR, and a region that runs elsewhere by --endpoint URL.`,
    )
  }
  return { deployment, credentials }
}

/** Writes `deployment.json` and every region's `config.yaml`. What an operator added to a `config.yaml` stays, comments too. */
export async function writeDeployment(directory: string, deployment: Deployment): Promise<void> {
  for (const region of deployment.regions) {
    const file = configFile(directory, region.region)
    await writeFileSafely(file, configText(await readFileIfThere(file), { region, deployment, directory, file }), 0o600)
  }
  await writeFileSafely(deploymentFiles(directory).deployment, `${JSON.stringify(deployment, undefined, 2)}\n`, 0o600)
}

const portStep = 100
const portMax = 65535
const header = ` The settings of one region. farshore up keeps the names, addresses and folders; the rest is yours.
 Every setting: docs/configuration.md. Alone: farshore server --config THIS-FILE`

interface ConfigPlace {
  readonly region: DeployedRegion
  readonly deployment: Deployment
  readonly directory: string
  readonly file: string
}

function configText(existing: string | undefined, { region, deployment, directory, file }: ConfigPlace): string {
  const document = parseDocument(existing ?? '{}')
  if (document.errors.length > 0) throw new ConfigError(`${file} is not YAML.`)
  if (existing === undefined) document.commentBefore = header
  const folder = regionFolder(directory, region.region)
  const settings: Record<string, unknown> = {
    region: region.region,
    dataDirectory: '.',
    s3: listenerOf(region.s3),
    admin: listenerOf(region.console),
    regions: deployment.regions.map(({ region: name, s3, console }) => ({ name, endpoint: s3, admin: console })),
    credentialsFile: relative(folder, deploymentFiles(directory).credentials),
  }
  for (const [key, value] of Object.entries(settings)) document.set(key, document.createNode(value))
  if (existing === undefined && document.contents !== null && 'flow' in document.contents) document.contents.flow = false
  return document.toString({ lineWidth: 140 })
}

function listenerOf(address: string): { host: string; port: number } {
  const { hostname, port } = new URL(address)
  return { host: hostname, port: Number(port) }
}
