/** The system's calls, of which the sync of the journal keeps everybody waiting. */
import { fdatasyncSync } from 'node:fs'
import { systemIo as real, type SqliteIo } from '../../../src/metadata/sqlite/io.ts'

export { silentLog } from '../../../src/metadata/sqlite/io.ts'

export const systemIo: SqliteIo = {
  freeBytes: real.freeBytes,
  openCheckpoints: real.openCheckpoints,
  fdatasync(fd, done) {
    fdatasyncSync(fd)
    done(null)
  },
}
