/** What the README prints must work when pasted. Its aws-cli walk-through is run as it stands, with this test's ports and keys put in. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePorts, up } from './support/up.ts'

const run = promisify(execFile)
const root = new URL('..', import.meta.url).pathname
const hasAws = spawnSync('aws', ['--version']).status === 0
if (!hasAws) process.stderr.write('!! aws-cli is not on this machine: the walk-through of the README is SKIPPED.\n')

describe('the README', () => {
  it.skipIf(!hasAws)('sets up replication with aws-cli, as it prints it', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'farshore-readme-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const port = await freePorts()
    const data = join(folder, 'data')
    const regions = await up(['--regions', 'us-east-1,eu-west-1', '--data', data, '--port', String(port)])
    onTestFinished(() => regions.stop())

    const script = (await walkThrough('README.md'))
      .replaceAll('127.0.0.1:9000', `127.0.0.1:${port}`)
      .replaceAll('127.0.0.1:9100', `127.0.0.1:${port + 100}`)
      .replace(
        'AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…',
        `AWS_ACCESS_KEY_ID=${regions.accessKeyId} AWS_SECRET_ACCESS_KEY=${regions.secretAccessKey}`,
      )
      .replace('npx farshore replication status', `node ${root}bin/farshore.js replication status --data ${data}`)
    const file = join(folder, 'walk-through.sh')
    await writeFile(file, `set -e\n${script}`)
    const { stdout } = await run('bash', [file], { cwd: root, env: { ...process.env, AWS_PAGER: '', AWS_DEFAULT_OUTPUT: 'json' } })

    const heads = [...stdout.matchAll(/^\{\n[\s\S]*?^\}$/gm)].map(([text]) => JSON.parse(text) as Record<string, unknown>)
    const [source, replica] = heads.filter((head) => 'ReplicationStatus' in head)
    expect(source?.['ReplicationStatus']).toMatch(/^(PENDING|COMPLETED)$/)
    expect(replica?.['ReplicationStatus']).toBe('REPLICA')
    for (const name of ['VersionId', 'ETag', 'ContentLength', 'ContentType', 'LastModified', 'StorageClass', 'ServerSideEncryption']) {
      expect(source?.[name], name).toBeDefined()
      expect(replica?.[name], name).toEqual(source?.[name])
    }
    expect(source).toMatchObject({ StorageClass: 'REDUCED_REDUNDANCY', ServerSideEncryption: 'AES256' })
  })

  it.skipIf(!hasAws)('replicates between two accounts, as docs/two-accounts.md prints it', { timeout: 180_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'farshore-accounts-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const port = await freePorts()
    const data = join(folder, 'data')
    const regions = await up(['--regions', 'us-east-1,eu-west-1', '--data', data, '--port', String(port)])
    onTestFinished(() => regions.stop())

    const script = (await walkThrough('docs/two-accounts.md'))
      .replaceAll('127.0.0.1:9000', `127.0.0.1:${port}`)
      .replaceAll('127.0.0.1:9100', `127.0.0.1:${port + 100}`)
      .replaceAll(/npx farshore (account|replication) (\w+)/g, `node ${root}bin/farshore.js $1 $2 --data ${data}`)
      .replaceAll(/ (docs\/farshore\.png|README\.md) s3:/g, ` ${root}$1 s3:`)
    const file = join(folder, 'walk-through.sh')
    await writeFile(file, `set -e\n${script}`)
    const work = join(folder, 'work')
    const temporary = join(folder, 'temporary')
    for (const one of [work, temporary]) await mkdir(one)
    const env = { ...process.env, AWS_PAGER: '', AWS_DEFAULT_OUTPUT: 'json', TMPDIR: temporary }
    const { stdout } = await run('bash', [file], { cwd: work, env })

    // Nothing lands where a clone would show it, and nobody else reads the keys.
    expect(await readdir(work)).toEqual([])
    const [made = ''] = await readdir(temporary)
    const keys = join(temporary, made)
    expect((await stat(keys)).mode & 0o077).toBe(0)
    const archive = JSON.parse(await readFile(join(keys, 'archive.json'), 'utf8')) as { canonicalId: string }
    const said = [...stdout.matchAll(/^"?(COMPLETED|FAILED|[0-9a-f]{64})"?$/gm)].map(([, word]) => word)
    expect(said).toEqual(['COMPLETED', archive.canonicalId, archive.canonicalId, 'FAILED', 'COMPLETED'])
    expect(stdout).toContain('DstPutObjectNotPermitted')
    expect(stdout).toMatch(/nothing pending, 0 failed; last error \(mended\) \S+Z DstPutObjectNotPermitted: [^\n]+\n"COMPLETED"\n$/)
  })

  it.skipIf(!hasAws)('keeps a year of versions cheaply, as docs/keep-versions.md prints it', { timeout: 180_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'farshore-versions-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const port = await freePorts()
    const data = join(folder, 'data')
    const page = await readFile(join(root, 'docs/keep-versions.md'), 'utf8')
    const [, name = '', seconds = ''] = /(FARSHORE_LIFECYCLE_DAY_SECONDS)=(\d+) npx farshore up/.exec(page) ?? []
    const regions = await up(['--regions', 'us-east-1,eu-west-1', '--data', data, '--port', String(port)], { [name]: seconds })
    onTestFinished(() => regions.stop())

    const script = (await walkThrough('docs/keep-versions.md'))
      .replaceAll('127.0.0.1:9000', `127.0.0.1:${port}`)
      .replaceAll('127.0.0.1:9100', `127.0.0.1:${port + 100}`)
      .replace(
        'AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…',
        `AWS_ACCESS_KEY_ID=${regions.accessKeyId} AWS_SECRET_ACCESS_KEY=${regions.secretAccessKey}`,
      )
      .replaceAll(/npx farshore lifecycle (\w+)/g, `node ${root}bin/farshore.js lifecycle $1 --data ${data}`)
    const file = join(folder, 'walk-through.sh')
    await writeFile(file, `set -e\n${script}`)
    const env = { ...process.env, AWS_PAGER: '', AWS_DEFAULT_OUTPUT: 'json', TMPDIR: folder }
    const { stdout, stderr } = await run('bash', [file], { cwd: folder, env })

    expect(stderr).toContain('InvalidObjectState')
    expect(stdout).toMatch(/\nit is archived\n[\s\S]*ongoing-request=[\s\S]*\n15\nit is what was written\n$/)
    expect(await readdir(join(data, 'eu-west-1/cold'), { recursive: true })).not.toEqual([])
  })

  it('links only to pages that are there', async () => {
    const text = await readFile(join(root, 'README.md'), 'utf8')
    const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => String(link)).filter((link) => !link.startsWith('http'))
    expect(links.length).toBeGreaterThan(5)
    for (const link of links) await expect(readFile(join(root, link)), link).resolves.toBeDefined()
  })
})

async function walkThrough(page: string): Promise<string> {
  const text = await readFile(join(root, page), 'utf8')
  const block = /<!-- walk-through -->\n```sh\n([\s\S]*?)\n```/.exec(text)?.[1]
  if (block === undefined) throw new Error(`${page} has no walk-through`)
  return block
}
