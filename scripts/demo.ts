/**
 * The demonstration: two regions on this machine, a replication rule set up with the AWS SDK, a picture written in one region,
 * and the proof that it stands in the other. Options: --data DIR, --port N, --file PATH, --exit.
 */
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { signInLink } from '../src/cli/sign-in-link.ts'
import { clientsFor } from './demo/clients.ts'
import { compareReplicas } from './demo/compare.ts'
import { say, title } from './demo/print.ts'
import { startRegions } from './demo/regions.ts'
import { setUpReplication } from './demo/replication.ts'
import { uploadAndWatch } from './demo/upload.ts'

const picture = fileURLToPath(new URL('../docs/farshore.png', import.meta.url))

const options = await readOptions().catch((error: unknown) => {
  process.stderr.write(`The demo cannot start: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(2)
})
const regions = await startRegions({ data: options.data, port: options.port }).catch((error: unknown) => {
  process.stderr.write(`The demo failed: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
try {
  const clients = clientsFor(regions)
  const pair = await setUpReplication(clients)
  const differences: string[] = []
  for (const path of options.file === undefined ? [picture] : [picture, options.file]) {
    const uploaded = await uploadAndWatch(clients, pair, path)
    differences.push(...(await compareReplicas(clients, pair, uploaded)))
  }
  process.exitCode = differences.length === 0 ? 0 : 1
  if (!options.exit) await stayUp()
} catch (error) {
  process.stderr.write(`The demo failed: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await regions.stop()
}

/** @throws Error for an unknown option, or a `--file` that cannot be sent */
async function readOptions() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: './farshore-data' },
      port: { type: 'string', default: '9000' },
      file: { type: 'string' },
      exit: { type: 'boolean', default: false },
    },
  })
  if (values.file !== undefined && !(await stat(values.file)).isFile()) throw new Error(`${values.file} is not a file`)
  return values
}

async function stayUp(): Promise<void> {
  const [first, second] = regions.list
  title('Yours to try')
  const link = await signInLink(first.console, { data: options.data })
  if (link !== undefined) say(`console, signed in      ${link}   (once, within ten minutes)`)
  say(`console and admin API   ${first.console}   ${second.console}`)
  say(`access key              ${regions.accessKeyId}`)
  say(`secret key              ${regions.secretAccessKey}`)
  say('')
  say(`export AWS_ACCESS_KEY_ID=${regions.accessKeyId} AWS_SECRET_ACCESS_KEY=${regions.secretAccessKey}`)
  say(`aws --endpoint-url ${first.s3} --region ${first.region} s3 ls s3://demo-source`)
  say(`aws --endpoint-url ${second.s3} --region ${second.region} s3 ls s3://demo-replica`)
  say('')
  say('Ctrl-C ends it. What was written stays in the data folder.')
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), regions.ended])
}
