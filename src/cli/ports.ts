/** Whether the ports of a deployment are free, said before anything is written or started. */
import { createServer } from 'node:net'
import { ConfigError } from '../config/config-error.ts'
import { failureOf } from './failure.ts'

/** @param addresses  `http://host:port` each. @throws ConfigError naming the first that can not be listened on */
export async function checkPorts(addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    const { hostname, port } = new URL(address)
    await tryListening(hostname, Number(port)).catch((cause: unknown) => {
      throw new ConfigError(`${failureOf(cause).message} --port takes another.`, { cause })
    })
  }
}

function tryListening(host: string, port: number): Promise<void> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen({ host, port, exclusive: true }, () => server.close(() => done()))
  })
}
