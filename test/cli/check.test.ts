import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { bytesFor, masterKey, openSpace, ownFolder } from '../objects/space.ts'

const binary = fileURLToPath(new URL('../../bin/farshore.js', import.meta.url))

function farshore(...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [binary, ...args], (_, out, err) => resolve({ code: child.exitCode, out, err }))
  })
}

it('checks a folder while its region runs, with exit code 0, and 3 when something is wrong', async () => {
  const space = await openSpace({ folder: await ownFolder() })
  await writeFile(join(space.folder, 'master.key'), `${masterKey.toString('hex')}\n`)
  const bucket = await space.bucket('kept')
  await space.put(bucket, 'a/b c', bytesFor('value', 1000), { isEncrypted: true })
  const sound = await farshore('check', '--data', space.folder, '--json')
  await space.close()
  expect(sound).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(sound.out)).toMatchObject({ regions: [{ region: 'us-east-1', checked: { versions: 1, bytes: 1000 }, findings: [] }] })

  const database = new Database(join(space.folder, 'metadata', 'metadata.db'))
  database.exec('UPDATE versions SET is_latest = 0')
  database.close()
  const broken = await farshore('check', '--data', space.folder, '--json')
  expect(broken.code).toBe(3)
  expect(JSON.parse(broken.out).regions[0].findings).toMatchObject([{ kind: 'latest', bucket: 'kept', key: 'a/b c' }])
  const inWords = await farshore('check', '--data', space.folder)
  expect(inWords).toMatchObject({
    code: 3,
    out: expect.stringMatching(/^us-east-1: kept\/a\/b c: latest: .+\nus-east-1: .+: 1 findings\n$/),
  })
})

it('says when there is nothing to check', async () => {
  const folder = await ownFolder()
  expect(await farshore('check', '--data', folder)).toMatchObject({ code: 1, out: '', err: expect.stringContaining(folder) })
})
