/** Real regions in one process: SQLite, the S3 port, peers and the control plane, each behind a link of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import aws4 from 'aws4'
import { request as httpRequest } from 'undici'
import { createKeys } from '../../src/access/credentials.ts'
import { type Control, createControl } from '../../src/control/control.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type Engine, runEngine } from '../../src/lib/engine.ts'
import { createHashers } from '../../src/lib/hash.ts'
import type { Metadata } from '../../src/metadata/engine.ts'
import { schema } from '../../src/metadata/schema.ts'
import { openSqlite } from '../../src/metadata/sqlite/open.ts'
import { type ControlRow, controlRowsAfter } from '../../src/metadata/tables/control.ts'
import { transactions, usesReserve } from '../../src/metadata/transactions.ts'
import { S3Error } from '../../src/model/errors.ts'
import type { Account, IdentityKey } from '../../src/model/identities.ts'
import type { IdentityEdit } from '../../src/model/identity-changes.ts'
import type { Role } from '../../src/model/role.ts'
import { createPeers, type Peers } from '../../src/peers/peers.ts'
import { createAccountGate } from '../../src/s3/account-gate.ts'
import { createS3Server } from '../../src/s3/server.ts'
import { named } from '../s3/operations.ts'
import { Link } from './link.ts'

export const account = {
  accountId: '123456789012',
  canonicalId: 'c'.repeat(64),
  rootAccessKeyId: 'AKIATESTTESTTESTTEST',
  rootSecretAccessKey: 'not-a-secret-of-anybody',
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

export interface Node {
  readonly metadata: Metadata
  readonly peers: Peers
  readonly control: Control
  readonly log: readonly LogLine[]
  close(): Promise<void>
}

interface NodeOptions {
  readonly peeringSecret?: string
  /** Left out, to see what becomes of work that nobody does. */
  readonly withoutEngines?: boolean
  /** The regions of its configuration, when they are not all in the order of the plan. */
  readonly order?: readonly string[]
  /** How long a write waits for home. */
  readonly patienceMs?: number
}

export class Deployment {
  readonly regions: readonly { readonly name: string; readonly endpoint: string; readonly publicUrl: string }[]
  readonly #folder: string
  readonly #links: ReadonlyMap<string, Link>
  readonly #running = new Map<string, Node>()

  private constructor(folder: string, links: ReadonlyMap<string, Link>) {
    this.#folder = folder
    this.#links = links
    this.regions = [...links].map(([name, link]) => ({ name, endpoint: link.endpoint, publicUrl: `http://${name}.test:8080` }))
  }

  static async plan(...names: readonly string[]): Promise<Deployment> {
    const links = new Map(names.map((name) => [name, new Link()]))
    for (const link of links.values()) await link.open()
    return new Deployment(await mkdtemp(join(tmpdir(), 'farshore-control-')), links)
  }

  link(name: string): Link {
    const link = this.#links.get(name)
    if (link === undefined) throw new Error(`no region ${name} was planned`)
    return link
  }

  /** What a region needs besides its own: its folder. */
  folder(name: string): string {
    return join(this.#folder, name)
  }

  async start(name: string, options: NodeOptions = {}): Promise<Node> {
    const regions = options.order === undefined ? this.regions : options.order.map((wanted) => this.#region(wanted))
    const node = await startNode({ name, folder: this.folder(name), regions, link: this.link(name), options })
    this.#running.set(name, node)
    return node
  }

  #region(name: string): Deployment['regions'][number] {
    const region = this.regions.find((candidate) => candidate.name === name)
    if (region === undefined) throw new Error(`no region ${name} was planned`)
    return region
  }

  async stop(name: string): Promise<void> {
    const node = this.#running.get(name)
    this.#running.delete(name)
    // Those who are connected stay so, as they do when a region is told to stop.
    this.link(name).target = undefined
    await node?.close()
    this.link(name).cut()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((node) => node.close()))
    await Promise.all([...this.#links.values()].map((link) => link.close()))
    await rm(this.#folder, { recursive: true, force: true })
  }
}

interface Start {
  readonly name: string
  readonly folder: string
  readonly regions: Deployment['regions']
  readonly link: Link
  readonly options: NodeOptions
}

async function startNode({ name, folder, regions, link, options }: Start): Promise<Node> {
  const lines: LogLine[] = []
  const write = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields })
  const log = { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') }
  const clock = systemClock
  const metadata = await openSqlite({ directory: folder, transactions, usesReserve, schema, clock, reserveBytes: 1 })
  const peeringSecret = options.peeringSecret ?? 'the secret between the regions'
  const timeouts = { connectMs: 500, answerMs: 1_000, idleMs: 1_000 }
  const peers = createPeers({ self: name, regions, peeringSecret, insecurePeers: false, boot: metadata.boot, clock, log, timeouts })
  const { patienceMs } = options
  const control = await createControl({
    metadata,
    self: name,
    regions,
    peers,
    clock,
    log,
    ...(patienceMs !== undefined && { patienceMs }),
  })
  const server = createS3Server({
    config: {
      s3: { host: '127.0.0.1', port: 0 },
      domains: [],
      limits: {
        maxConnections: 100,
        maxRequests: 100,
        headersTimeoutMs: 5000,
        idleTimeoutMs: 5000,
        keepAliveTimeoutMs: 5000,
        drainTimeoutMs: 500,
      },
      log: { access: false },
    },
    operations: [named('ListBuckets', 'GET /'), named('HeadBucket', 'GET /{Bucket}')],
    gate: createAccountGate({
      keys: createKeys(account, peers.peerKeyOf),
      regions: [name, ...regions.map((region) => region.name)],
      resolveBucket: (bucket) => control.resolveBucket(bucket),
      accountIdOf: () => account.accountId,
    }),
    services: {} as never, // none of these operations asks for any
    hashing: await createHashers(),
    query: () => Promise.reject(new Error('not asked')),
    peer: peers.routes.handle,
    health: () => ({ isReady: true, reasons: [] }),
    nowMs: () => clock.nowMs(),
    log,
  })
  const { port } = await server.listen()
  link.target = port
  const ending = new AbortController()
  const engines: readonly Engine[] = options.withoutEngines === true ? [] : control.engines
  const running = engines.map((engine) => runEngine(engine, { signal: ending.signal, log }))
  await peers.greet()

  return {
    metadata,
    peers,
    control,
    log: lines,
    async close() {
      ending.abort(new Error('the test ends the region'))
      await control.close()
      await Promise.all(running)
      await peers.close()
      await server.close()
      await metadata.close()
    },
  }
}

/** The S3Error that a call ends in. */
export async function refusal(call: Promise<unknown>): Promise<S3Error> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof S3Error) return error
  throw new Error(`expected a refusal, got ${String(error)}`)
}

export async function eventually(isTrue: () => boolean | Promise<boolean>, what: string, deadlineMs = 10_000): Promise<number> {
  const began = performance.now()
  while (!(await isTrue())) {
    if (performance.now() - began > deadlineMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return performance.now() - began
}

/** All rows of a region's log. */
export function rowsOf(node: Node): Promise<readonly ControlRow[]> {
  return node.metadata.read(() => controlRowsAfter(0, 10_000))
}

export const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }],
})
export const policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] })

export function role(name: string): Role {
  const { accountId } = account
  return {
    name,
    arn: `arn:aws:iam::${accountId}:role/${name}`,
    id: `AROA${name.replace(/[^A-Za-z0-9]/g, '')}`,
    path: '/',
    accountId,
    createdMs: 1,
    trustPolicy: trust,
    type: 'role',
    attachedPolicies: [],
    tags: [],
    inlinePolicies: {},
  }
}

/** Whose roles are made: it takes one row of the log. */
export function makeAccount({ control }: Node): Promise<void> {
  const { accountId, canonicalId } = account
  const made: Account = { accountId, canonicalId, displayName: 'root', status: 'active', createdMs: 1 }
  return control.changeIdentities({ kind: 'createAccount', account: made })
}

export function createRole({ control }: Node, name: string): Promise<void> {
  return control.changeIdentities({ kind: 'createIdentity', identity: role(name) })
}

export function deleteRole({ control }: Node, name: string): Promise<void> {
  return control.changeIdentities({ kind: 'deleteIdentity', of: roleKey(name) })
}

export function editRole({ control }: Node, name: string, edit: IdentityEdit): Promise<void> {
  return control.changeIdentities({ kind: 'editIdentity', of: roleKey(name), edit })
}

export function findRole({ control }: Node, name: string): Promise<Role | undefined> {
  return control.identity(roleKey(name))
}

function roleKey(name: string): IdentityKey<'role'> {
  return { accountId: account.accountId, type: 'role', name }
}

export function bucketOf(name: string) {
  return { name, ownerId: account.canonicalId, settings: { ownership: 'BucketOwnerEnforced' } } as const
}

/** One signed request that knows nothing of PeerClient. */
export async function signedRequest(
  endpoint: string,
  key: { readonly accessKeyId: string; readonly secretAccessKey: string },
  request: {
    readonly method: 'GET' | 'POST'
    readonly path: string
    readonly region: string
    readonly headers?: Record<string, string>
    readonly unsignedHeaders?: Record<string, string>
    readonly body?: string
  },
): Promise<{ readonly status: number; readonly headers: Record<string, unknown>; readonly text: string }> {
  const { host } = new URL(endpoint)
  const { method, path, region, headers = {}, body = '' } = request
  const signed = aws4.sign({ service: 's3', region, method, path, headers: { host, ...headers }, body }, key)
  const answer = await httpRequest(endpoint + path, {
    method,
    headers: { ...(signed.headers as Record<string, string>), ...request.unsignedHeaders }, // all that aws4 gives back is text
    ...(body === '' ? {} : { body }),
  })
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
}
