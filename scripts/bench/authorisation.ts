/**
 * What policies cost a GET: the root, who has none, beside a user with so many managed policies, attached to it and to its group.
 * node scripts/bench/authorisation.ts [--rounds N] [--requests N] [--policies N]     with FARSHORE_WORKERS=1 one thread does everything
 * Each round asks for the same objects as one and as the other, in turns; of each pair the difference in the server's CPU is taken, so that what else
 * happens on the machine meets both alike. The root beside itself tells how far that is to be believed.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import { Client } from './client.ts'
import { payload, smallBytes } from './payload.ts'
import { loadNow, loadText } from './report.ts'
import { ownProgram, type RunningServer, startRegion } from './servers.ts'
import { type Credentials, unsignedPayload } from './sign.ts'
import { median, quantile } from './statistics.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '150' },
    requests: { type: 'string', default: '1500' },
    policies: { type: 'string', default: '20' },
  },
})
const rounds = Number(values.rounds)
const requests = Number(values.requests)
const policies = Number(values.policies)
const atOnce = 16
const keys = Array.from({ length: 200 }, (_, i) => `/bench-authorisation/${i}`)
const bytes = payload(smallBytes)

const folder = await mkdtemp(join(tmpdir(), 'farshore-bench-'))
const server = await startRegion({ program: ownProgram, data: join(folder, 'data') })
try {
  await compare(server)
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

async function compare(region: RunningServer): Promise<void> {
  const clients = {
    root: open(region, region.credentials),
    again: open(region, region.credentials),
    user: open(region, await userWithPolicies(region)),
  }
  const { root, again, user } = clients
  await root.send({ method: 'PUT', path: '/bench-authorisation', status: 200 })
  for (const path of keys) await root.send({ method: 'PUT', path, body: bytes, payloadHash: unsignedPayload, status: 200 })
  for (const client of Object.values(clients)) await ask(client, 5 * requests)
  const before = loadNow()
  const found = { root: [] as number[], again: [] as number[], user: [] as number[] }
  const names = ['root', 'again', 'user'] as const
  for (let round = 0; round < rounds; round++) {
    const turns = names.map((_, i) => names[(i + round) % names.length] ?? 'root')
    for (const name of round % 2 === 0 ? turns : turns.toReversed()) {
      const from = await cpuNs(region.pid)
      await ask(clients[name], requests)
      found[name].push((await cpuNs(region.pid)) - from)
    }
  }
  const us = (ns: readonly number[]) => ns.map((one) => one / 1000 / requests)
  const less = (of: readonly number[]) => of.map((one, i) => one - (found.root[i] ?? Number.NaN))
  process.stdout.write(
    `${rounds} rounds of ${requests} GET of 4 KiB, ${atOnce} at once, load average ${loadText(before)} to ${loadText(loadNow())}\n`,
  )
  process.stdout.write(`root: ${spread(us(found.root))} of server CPU a GET\n`)
  process.stdout.write(`root less root: ${spread(us(less(found.again)))}\n`)
  process.stdout.write(`user with ${policies} policies less root: ${spread(us(less(found.user)))}\n`)
  await Promise.all([root.close(), again.close(), user.close()])
}

function open(region: RunningServer, credentials: Credentials): Client {
  return new Client(region.endpoint, credentials, atOnce)
}

async function ask(client: Client, count: number): Promise<void> {
  let asked = 0
  const worker = async (): Promise<void> => {
    while (asked < count) {
      asked += 1
      await client.send({ method: 'GET', path: keys[asked % keys.length] ?? '', status: 200, expected: bytes })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** Of each policy two statements, as people write them; one of them allows what is asked. */
async function userWithPolicies({ endpoint, credentials }: RunningServer): Promise<Credentials> {
  const { accessKeyId, secretAccessKey, region } = credentials
  const iam = new IAMClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  const [UserName, GroupName] = ['bench', 'bench']
  await iam.send(new CreateUserCommand({ UserName }))
  await iam.send(new CreateGroupCommand({ GroupName }))
  await iam.send(new AddUserToGroupCommand({ GroupName, UserName }))
  for (let i = 1; i <= policies; i++) {
    const bucket = `arn:aws:s3:::bench-${i === policies ? 'authorisation' : i}`
    const Statement = [
      { Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation'], Resource: bucket },
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], Resource: `${bucket}/*` },
    ]
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: `bench-${i}`, PolicyDocument }))
    const PolicyArn = Policy?.Arn
    // No more than ten are attached to one.
    if (i % 2 === 0) await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }))
    else await iam.send(new AttachGroupPolicyCommand({ GroupName, PolicyArn }))
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '', region: credentials.region }
}

/** Of all threads. Ticks of 10 ms, which other figures are counted in, would be as much as what is looked for. https://docs.kernel.org/scheduler/sched-stats.html */
async function cpuNs(pid: number): Promise<number> {
  const tasks = await readdir(`/proc/${pid}/task`)
  const stats = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8').catch(() => '0')))
  return stats.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0)
}

/** The median, between the quartiles, and how far the median itself may be off. */
function spread(figures: readonly number[]): string {
  const sorted = Float64Array.from(figures).sort()
  const [low, high] = [quantile(sorted, 0.25), quantile(sorted, 0.75)]
  // 1.57 times the quartiles' distance over the root of the number: McGill, Tukey and Larsen (1978), 95 %.
  const error = (1.57 * (high - low)) / Math.sqrt(figures.length)
  return `${median(figures).toFixed(1)} µs ± ${error.toFixed(1)} (half of the rounds ${low.toFixed(1)} to ${high.toFixed(1)})`
}
