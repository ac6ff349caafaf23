import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { schema } from '../../src/metadata/schema.ts'
import { openSqlite } from '../../src/metadata/sqlite/open.ts'
import { type Row, type Steps, statement } from '../../src/metadata/steps.ts'
import { identityByName } from '../../src/metadata/tables/identities.ts'
import { versionOfBlob } from '../../src/metadata/tables/version-rows.ts'
import { transactions, usesReserve } from '../../src/metadata/transactions.ts'

function* rows(sql: string): Steps<readonly Row[]> {
  return yield statement(sql)
}

it('takes over a file of the first schema with all that is in it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'farshore-schema-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const options = { directory, transactions, usesReserve, clock: systemClock, reserveBytes: 1 }
  const old = await openSqlite({ ...options, schema: schema.slice(0, 1) })
  await old.close()
  const database = new Database(join(directory, 'metadata.db'))
  database.exec(`
    INSERT INTO versions VALUES ('b', 'k', 'id', 1, 1, 0, 5, 1, 'e', 'STANDARD', 'blob', NULL, NULL, '{}', NULL, 0);
    INSERT INTO roles VALUES ('Worker', '{"name":"Worker","roleId":"AROA1","accountId":"123456789012","path":"/","arn":"a","createdMs":1,"trustPolicy":"t","inlinePolicies":{"__proto__":"p"}}', 7);
    INSERT INTO names VALUES ('b', 'b1', 'r', 'o', 1, 0), ('older', 'b2', 'r', 'o', 1, 0);
    INSERT INTO control_log VALUES (7, 1, 1, 'r', '{"kind":"createBucket","bucket":{"name":"b","id":"b1"},"settings":{"ownership":"ObjectWriter"}}', 'p', 'h', 0);
    INSERT INTO uploads VALUES ('done', 'b', 'k', 'completed', 1000, '{}', '{}', 0), ('open', 'b', 'k', 'open', 1000, '{}', NULL, 0)`)
  database.close()
  const now = await openSqlite({ ...options, schema })
  onTestFinished(() => now.close())
  expect(await now.read(() => versionOfBlob('blob'))).toMatchObject({ key: 'k', size: 5, isLatest: true })
  expect(await now.commit({ tx: 'forgetCompletedUploads', completedBeforeMs: 2000, limit: 10 })).toEqual({ forgotten: 1 })
  const role = await now.read(() => identityByName({ accountId: '123456789012', type: 'role', name: 'worker' }))
  expect(role).toMatchObject({ type: 'role', id: 'AROA1', name: 'Worker', attachedPolicies: [], tags: [], trustPolicy: 't' })
  expect(Object.keys(role?.inlinePolicies ?? {})).toEqual(['__proto__'])
  expect(role).not.toHaveProperty('roleId')
  const names = await now.read(() => rows('SELECT name, settings FROM names ORDER BY name'))
  expect(names).toEqual([
    { name: 'b', settings: '{"ownership":"ObjectWriter"}' },
    { name: 'older', settings: '{"ownership":"BucketOwnerEnforced"}' },
  ])
})
