/** The product with one lie built in: its servers cut every connection when they are told to end the idle ones. Put in from here, before it loads. */
import { Server } from 'node:http'

Server.prototype.closeIdleConnections = function closeIdleConnections(): void {
  this.closeAllConnections()
}
const { main } = await import('../../../src/main.ts')
await main()
