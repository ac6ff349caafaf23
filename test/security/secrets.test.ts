/** Secrets stay inside: compared in constant time, and found in nothing that a client or a log gets to see. */
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sign } from 'aws4'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { operations } from '../../src/operations/index.ts'
import type { Operation } from '../../src/s3/define.ts'
import { multipart } from '../support/forms.ts'
import { freePorts, type Up, up } from '../support/up.ts'

vi.mock('node:crypto', { spy: true })

describe('secrets are compared in constant time', () => {
  it('signatures of heads, chunks, trailers and forms, and tokens, all by one function', async () => {
    const { timingSafeEqual } = await import('node:crypto')
    const { isSameSignature } = await import('../../src/s3/auth/signature.ts')
    vi.mocked(timingSafeEqual).mockClear()
    expect(isSameSignature('a'.repeat(64), `${'a'.repeat(63)}b`)).toBe(false)
    expect(isSameSignature('a'.repeat(64), 'a'.repeat(64))).toBe(true)
    expect(timingSafeEqual).toHaveBeenCalledTimes(2)
  })

  it.each([
    [
      'verify.ts',
      ['isSameSignature(sign(signingKey, stringToSign), claim.signature)', "isSameSignature(sha256Hex(credential.sessionToken ?? '')"],
    ],
    ['chunk-signatures.ts', ['isSameSignature(expected, provided)']],
    ['post-form.ts', ['isSameSignature(expected, signature)']],
  ])('and %s compares them in no other way', async (file, comparisons) => {
    const text = await readFile(new URL(`../../src/s3/auth/${file}`, import.meta.url), 'utf8')
    for (const comparison of comparisons) expect(text).toContain(comparison)
    const secrets = String.raw`(signature|sessionToken|securityToken|secretAccessKey|expected)\b`
    // Whether there is one at all may be asked.
    const plain = new RegExp(String.raw`\b${secrets}\s*[!=]==(?!\s*(?:undefined|''))|[!=]==\s*([\w.]+\.)?${secrets}`)
    expect(text.split('\n').filter((line) => plain.test(line))).toEqual([])
  })
})

describe('no secret is in any answer, log or error', () => {
  let folder: string
  let running: Up
  /** All that anybody got to see. */
  const seen: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'farshore-secrets-'))
    vi.stubEnv('FARSHORE_LOG_LEVEL', 'trace')
    vi.stubEnv('FARSHORE_LOG_ACCESS', 'true')
    running = await up(['--regions', 'us-east-1,eu-west-1', '--data', folder, '--port', String(await freePorts())])
  }, 60_000)
  afterAll(async () => {
    vi.unstubAllEnvs()
    await running?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('while every kind of error is provoked, logged at the level trace', async () => {
    const secrets = await secretsOf(folder)
    const [one, two] = running.regions
    if (one === undefined || two === undefined) throw new Error('two regions were started')
    await ask(one.s3, { method: 'PUT', path: '/canary-bucket' })
    for (const question of operations.flatMap(questionsAbout)) await ask(one.s3, question)
    for (const { s3, console: admin } of [one, two]) {
      for (const question of otherQuestions()) await ask(s3, question)
      for (const question of adminQuestions()) await ask(admin, question)
      for (const text of garbage) seen.push(await said(s3, text))
    }
    seen.push(...(await logsBelow(folder)))
    const everything = seen.join('\n')
    for (const sign of ['SignatureDoesNotMatch', 'MalformedXML', 'NotImplemented', 'InvalidArgument', 'request answered']) {
      expect(everything).toContain(sign)
    }
    expect(seen.length).toBeGreaterThan(300)
    for (const [what, secret] of secrets) expect(everything.includes(secret), `${what} was seen`).toBe(false)
  }, 60_000)

  it('while settings and key files are refused, and when they are printed', async () => {
    const canary = 'canary-of-a-secret-0123456789'
    await writeFile(join(folder, 'canary.key'), `${canary}\n`)
    const config = join(folder, 'us-east-1', 'config.yaml')
    const environments: readonly Readonly<Record<string, string>>[] = [
      { FARSHORE_SECRET_ACCESS_KEY: canary },
      { FARSHORE_SECRET_ACCESS_KEY: canary, FARSHORE_CREDENTIALS_ROOT_SECRET_ACCESS_KEY: `${canary}x` },
      { FARSHORE_CREDENTIALS_PEERING_SECRET: canary },
      { FARSHORE_SECRET_ACCESS_KEY: canary, FARSHORE_S3_PORT: 'none' },
      { FARSHORE_SECRET_ACESS_KEY: canary },
      { FARSHORE_ENCRYPTION_MASTER_KEY_FILE: join(folder, 'canary.key') },
    ]
    for (const environment of environments) {
      for (const command of [['config', 'print'], ['server']]) {
        const printed = await printedBy([...command, '--config', config], environment)
        expect(printed.includes(canary), `${command.join(' ')} with ${Object.keys(environment).join()}: ${printed}`).toBe(false)
      }
    }
  }, 120_000)

  async function ask(endpoint: string, { method, path, headers = {}, body = '', service = 's3', as = 'root' }: Question): Promise<void> {
    const credentials = {
      accessKeyId: accessKeyIds[as] ?? running.accessKeyId,
      secretAccessKey: as === 'root' ? running.secretAccessKey : 'a-guess-that-is-wrong',
    }
    const request = { service, region: 'us-east-1', method, path, headers: { ...headers, Host: new URL(endpoint).host }, body }
    const signed = as === 'nobody' ? headers : (sign(request, credentials).headers ?? {})
    // fetch says these by itself.
    const sent = Object.entries(signed).filter(([name]) => !/^(host|content-length)$/i.test(name))
    const answer = await fetch(`${endpoint}${path}`, {
      method,
      headers: sent.map(([name, value]): [string, string] => [name, String(value)]),
      ...(method === 'GET' || method === 'HEAD' || body.length === 0 ? {} : { body: new Uint8Array(Buffer.from(body)) }),
    })
    seen.push(`${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`)
  }
})

interface Question {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly service?: string
  readonly as?: Asker
}

type Asker = 'root' | 'nobody' | 'wrong secret' | 'unknown key' | 'peer'
const everybody: readonly Asker[] = ['root', 'nobody', 'wrong secret', 'unknown key', 'peer']
const accessKeyIds: Readonly<Partial<Record<Asker, string>>> = { 'unknown key': 'AKIANOBODY', peer: 'farshore-peer-eu-west-1' }

const garbage = ['GET\r\n\r\n', 'PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n', `GET /${'x'.repeat(40_000)} HTTP/1.1\r\n\r\n`]

/** Right and wrong ones, of everybody. */
function questionsAbout({ route }: Operation): readonly Question[] {
  const { method, shape } = route
  const query = [...route.query].map(([name, value]) => `${name}=${value ?? 'x'}`).join('&')
  // It would take the bucket away from those that follow.
  if (method === 'DELETE' && shape === 'bucket' && query === '') return []
  const place = { service: '/', bucket: '/canary-bucket', object: '/canary-bucket/k%20ey' }[shape]
  const headers = Object.fromEntries(route.headers.map((name) => [name, 'nothing/that is there']))
  const question = { method, path: query === '' ? place : `${place}?${query}`, headers }
  return [question, { ...question, body: '<a>' }, { ...question, service: 'iam' }, ...everybody.map((as) => ({ ...question, as }))]
}

function otherQuestions(): readonly Question[] {
  const form = multipart([
    ['key', 'k'],
    ['policy', 'eyJ9'],
    ['x-amz-signature', '0'],
    ['file', Buffer.from('x'), 'f'],
  ])
  const formHeaders = { 'content-type': form.contentType }
  const query = { method: 'POST', path: '/', service: 'iam', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  const actions = ['CreateRole', 'GetRole', 'ListRoles', 'PutRolePolicy', 'Nothing']
  const internal = ['/_peer/v1/control/rows?after=0&hash=&waitMs=0', '/_peer/v1/control/append', '/_peer/nothing', '/_health/ready']
  return [
    { method: 'POST', path: '/canary-bucket', as: 'nobody', headers: formHeaders, body: form.body },
    ...actions.flatMap((action) => {
      const body = `Action=${action}&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B`
      return everybody.map((as): Question => ({ ...query, body, as }))
    }),
    ...internal.flatMap((path) => everybody.map((as): Question => ({ method: 'POST', path, as, body: '{' }))),
  ]
}

function adminQuestions(): readonly Question[] {
  const paths = ['/admin/v1/region', '/admin/v1/replication', '/admin/v1/damage', '/admin/v1/nothing', '/']
  return paths.flatMap((path) => everybody.map((as): Question => ({ method: 'GET', path, service: 'farshore', as })))
}

/** By what they are: in every form in which they could slip out. */
async function secretsOf(folder: string): Promise<readonly (readonly [string, string])[]> {
  const credentials: unknown = JSON.parse(await readFile(join(folder, 'credentials.json'), 'utf8'))
  const { rootSecretAccessKey, peeringSecret } = credentials as Record<string, string> // what `farshore up` wrote
  if (rootSecretAccessKey === undefined || peeringSecret === undefined) throw new Error('credentials.json has no secrets')
  const masters = await Promise.all(['us-east-1', 'eu-west-1'].map((region) => readFile(join(folder, region, 'master.key'), 'utf8')))
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  const signingKey = [today, 'us-east-1', 's3', 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${rootSecretAccessKey}`),
  )
  const plain: (readonly [string, string])[] = [
    ['the root secret', rootSecretAccessKey],
    ['the peering secret', peeringSecret],
    ...masters.map((key) => ['a master key', key.trim()] as const),
  ]
  const encoded = plain.flatMap(([what, secret]) => [
    [`${what} in base64`, Buffer.from(secret).toString('base64').replace(/=+$/, '')] as const,
    [`${what} in hex`, Buffer.from(secret).toString('hex')] as const,
  ])
  const binary = masters.map((key) => ['a master key in base64', Buffer.from(key.trim(), 'hex').toString('base64')] as const)
  const derived = (['hex', 'base64'] as const).map((form) => [`a signing key in ${form}`, signingKey.toString(form)] as const)
  return [...plain, ...encoded, ...binary, ...derived]
}

async function logsBelow(folder: string): Promise<readonly string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.log'))
  expect(files.length).toBeGreaterThanOrEqual(2)
  return await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
}

function said(endpoint: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect(Number(new URL(endpoint).port), '127.0.0.1', () => socket.write(text))
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      heard += chunk
    })
    socket.on('error', () => resolve(heard))
    socket.on('close', () => resolve(heard))
  })
}

function printedBy(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<string> {
  const farshore = new URL('../../bin/farshore.js', import.meta.url).pathname
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [farshore, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text
      })
    }
    child.on('close', () => resolve(printed))
  })
}
