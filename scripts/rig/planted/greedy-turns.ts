/** The product with one lie built in: a request that waits for its client keeps its place. Put in from here, before it loads. */
import { Turn } from '../../../src/s3/admission.ts'

Turn.prototype.waitForClient = () => undefined
const { main } = await import('../../../src/main.ts')
await main()
