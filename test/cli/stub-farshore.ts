/** The real command line around a region that only listens: what `up` and `server` promise does not depend on what a region does. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { StartRegion } from '../../src/cli/context.ts'
import { runCli } from '../../src/cli/program.ts'
import { processEnvironment } from '../../src/config/load.ts'

const startRegion: StartRegion = async (config, { log }) => {
  if (config.domains.includes('broken.test')) throw new Error('the stub was told to fail')
  const s3 = await listen(config.s3.port, (path) => (path === '/_health/ready' ? 200 : 404))
  const admin = await listen(config.admin.port, () => 200)
  log.info('region started')
  return {
    s3Port: portOf(s3),
    adminPort: portOf(admin),
    failed: new Promise(() => undefined),
    async close() {
      log.info('region closed')
      // Stands for requests that never end, in a region whose drain has no limit of its own.
      if (config.domains.includes('stuck.test')) await new Promise(() => setInterval(() => undefined, 1000))
      s3.close()
      admin.close()
    },
  }
}

function listen(port: number, statusOf: (path: string) => number): Promise<Server> {
  return new Promise((done, fail) => {
    const server = createServer((request, response) => {
      response.writeHead(statusOf(request.url ?? '/'), { connection: 'close' }).end()
    })
    server.once('error', fail)
    server.listen(port, '127.0.0.1', () => done(server))
  })
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port // A listening TCP server has an address of this kind.
}

process.exitCode = await runCli(process.argv.slice(2), {
  environment: processEnvironment(),
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  entry: fileURLToPath(import.meta.url),
  version: '0.0.0-stub',
  startRegion,
  checkRegion: () => Promise.reject(new Error('nothing is kept here')),
})
