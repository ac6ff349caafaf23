/** The system's calls, of which the sync never tells that it failed. */
import { systemIo as real, type SqliteIo } from '../../../src/metadata/sqlite/io.ts'

export { silentLog } from '../../../src/metadata/sqlite/io.ts'

export const systemIo: SqliteIo = {
  freeBytes: real.freeBytes,
  openCheckpoints: real.openCheckpoints,
  fdatasync: (fd, done) => real.fdatasync(fd, () => done(null)),
}
