import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { binary, run } from '../cli/processes.ts'
import { freePorts, up } from '../support/up.ts'
import { alike, createRole, Deployment, eventually, makeAccount, type Node, rowsOf } from './nodes.ts'

const changes = 500
/** Half a minute and more: a region starts again slowly beside other tests. */
const attemptsMax = 600

interface Regions {
  readonly regions: readonly {
    readonly region: string
    readonly rows: number
    readonly state: { readonly rows: number; readonly digest: string }
  }[]
}

/** Again until it is known to be done: what was done by an attempt whose answer was lost is there already. */
async function persistently(write: () => Promise<unknown>, isDone: (error: unknown) => boolean): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await write()
      return
    } catch (error) {
      if (isDone(error)) return
      if (attempt === attemptsMax) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

describe('changes from all sides while home goes and comes back', () => {
  it('are made once each, and all regions are alike', { timeout: 120_000 }, async () => {
    const names = ['us-east-1', 'eu-west-1', 'ap-south-1']
    const deployment = await Deployment.plan(...names)
    try {
      const nodes = new Map<string, Node>()
      for (const name of names) {
        const node = await deployment.start(name, { patienceMs: 1_000 })
        nodes.set(name, node)
        if (name === names[0]) await makeAccount(node)
      }
      let made = 0
      const isDone = (error: unknown) => error instanceof S3Error && error.code === 'EntityAlreadyExists'
      const writers = Array.from({ length: 9 }, async (_, writer) => {
        for (let i = writer; i < changes; i += 9) {
          // Asked of the region as it runs now.
          const write = () => {
            const node = nodes.get(names[i % 3] ?? '')
            return node === undefined ? Promise.reject(new Error('no such region')) : createRole(node, `role-${i}`)
          }
          await persistently(write, isDone)
          made += 1
        }
      })
      for (const some of [80, 220, 360]) {
        await eventually(() => made >= some, `${some} changes`, 60_000)
        await deployment.stop('us-east-1')
        nodes.set('us-east-1', await deployment.start('us-east-1', { patienceMs: 1_000 }))
      }
      await Promise.all(writers)
      await alike([...nodes.values()])
      for (const node of nodes.values()) {
        const rows = (await rowsOf(node)).filter(({ change }) => change.kind === 'createIdentity')
        expect(rows).toHaveLength(changes)
        expect(new Set(rows.map(({ change }) => change.kind === 'createIdentity' && change.identity.name)).size).toBe(changes)
      }
    } finally {
      await deployment.close()
    }
  })

  it('are made once each also when its process is killed', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'farshore-killed-'))
    const running = await up(['--regions', 'us-east-1,eu-west-1', '--data', folder, '--port', String(await freePorts())])
    try {
      const credentials = { accessKeyId: running.accessKeyId, secretAccessKey: running.secretAccessKey }
      const clients = running.regions.map(
        ({ region, s3 }) => new S3Client({ endpoint: s3, region, credentials, forcePathStyle: true, maxAttempts: 1 }),
      )
      let made = 0
      const isDone = (error: unknown) => error instanceof Error && error.name === 'BucketAlreadyOwnedByYou'
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let i = writer; i < changes; i += 8) {
          await persistently(() => clients[i % 2]?.send(new CreateBucketCommand({ Bucket: `bucket-${i}` })) ?? Promise.reject(), isDone)
          made += 1
        }
      })
      await eventually(() => made >= changes / 3, 'some changes', 60_000)
      process.kill(running.regions[0]?.pid ?? 0, 'SIGKILL')
      await Promise.all(writers)

      for (const client of clients) {
        const { Buckets = [] } = await client.send(new ListBucketsCommand({}))
        expect(new Set(Buckets.map(({ Name }) => Name)).size).toBe(changes)
        expect(Buckets).toHaveLength(changes)
      }
      await eventually(async () => {
        const asked = run(['regions', '--data', folder, '--json'], { entry: binary })
        if ((await asked.exit) !== 0) return false
        const { regions } = JSON.parse(asked.stdout()) as Regions
        expect(new Set(regions.map(({ state }) => state.digest)).size).toBe(1)
        return regions.every(({ rows }) => rows === changes + 2)
      }, 'both regions to be alike')
    } finally {
      await running.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
