/** A process that does what lifecycle rules ask for, and says on stdout after each step that it did. It is there to be killed. */
import { openSpace } from './aging-space.ts'

const [folder = ''] = process.argv.slice(2)
const { metadata, engine } = await openSpace(folder)
const { signal } = new AbortController()
while ((await engine.work(signal)) === 'busy') process.stdout.write('step\n')
process.stdout.write('idle\n')
await metadata.close()
