import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ListUsersCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWebTokens } from '../../src/iam/web-token.ts'
import { refusal, useDeployment } from '../support/deployment.ts'
import { allow, homeAccount, iamOf, keysOf, newRole, roleName, statements, stsOf } from './callers.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' })

let issuer = ''
let discovered = ''
let asked = 0
const server: Server = createServer((request, response) => {
  asked += 1
  const keys = [jwk(rsa.publicKey, 'rsa'), jwk(ec.publicKey, 'ec'), jwk(weak.publicKey, 'weak')]
  response.end(JSON.stringify(request.url === '/keys' ? { keys } : { issuer: discovered, jwks_uri: `${issuer}/keys` }))
})
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listening: it has a port
  discovered = issuer
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

let tokens: ReturnType<typeof createWebTokens> | undefined
const node = useDeployment({
  verifyWebToken: (token, nowMs) => {
    tokens ??= createWebTokens([{ issuer, audiences: ['farshore'] }])
    return tokens(token, nowMs)
  },
})

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const nowSeconds = () => Math.floor(Date.now() / 1000)

interface Making {
  readonly header?: object
  readonly claims?: object
  readonly key?: KeyObject
}

function token({ header = {}, claims = {}, key = rsa.privateKey }: Making = {}): string {
  const data = `${part({ alg: 'RS256', kid: 'rsa', ...header })}.${part({ iss: issuer, aud: 'farshore', sub: 'pod-1', exp: nowSeconds() + 600, ...claims })}`
  return `${data}.${sign('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const trust = (condition: object = {}) =>
  statements({
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::${homeAccount}:oidc-provider/${issuer.slice('http://'.length)}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: condition,
  })

const become = (RoleArn: string, WebIdentityToken: string, more = {}) =>
  new STSClient({ endpoint: node().endpoint, region: 'us-east-1', maxAttempts: 1 }).send(
    new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'pod', WebIdentityToken, ...more }),
  )

describe('AssumeRoleWithWebIdentity', () => {
  it.each([
    ['RSA', () => token()],
    ['elliptic curves', () => token({ header: { alg: 'ES256', kid: 'ec' }, key: ec.privateKey })],
  ])('makes the bearer of a token signed with %s the role, without a signature of its own', async (_, made) => {
    const arn = await newRole(node(), trust())
    await iamOf(node()).send(new PutRolePolicyCommand({ RoleName: roleName(arn), PolicyName: 'p', PolicyDocument: allow('iam:ListUsers') }))
    const answer = await become(arn, made())
    expect(answer).toMatchObject({ SubjectFromWebIdentityToken: 'pod-1', Audience: 'farshore', Provider: issuer })
    const keys = keysOf(answer.Credentials)
    expect((await stsOf(node(), keys).send(new GetCallerIdentityCommand({}))).Arn).toBe(
      `arn:aws:sts::${homeAccount}:assumed-role/${roleName(arn)}/pod`,
    )
    await iamOf(node(), keys).send(new ListUsersCommand({ MaxItems: 1 }))
  })

  it('asks the subject of the trust policy', async () => {
    const host = issuer.slice('http://'.length)
    const arn = await newRole(node(), trust({ StringEquals: { [`${host}:sub`]: 'pod-1', [`${host}:aud`]: 'farshore' } }))
    await become(arn, token())
    const other = await refusal(become(arn, token({ claims: { sub: 'pod-2' } })))
    expect(other).toMatchObject({ code: expect.stringMatching(/^AccessDenied/), status: 403 })
  })

  it.each([
    ['everyone', '*'],
    ['the account', homeAccount],
  ])('is closed where the role trusts %s', async (_, AWS) => {
    const arn = await newRole(
      node(),
      statements({ Effect: 'Allow', Principal: { AWS }, Action: ['sts:AssumeRole', 'sts:AssumeRoleWithWebIdentity'] }),
    )
    expect(await refusal(become(arn, token()))).toMatchObject({ code: expect.stringMatching(/^AccessDenied/), status: 403 })
  })

  const unsigned = (header: object) => `${part({ kid: 'rsa', ...header })}.${token().split('.')[1]}`
  it.each<[string, () => string, string]>([
    ['that is expired', () => token({ claims: { exp: nowSeconds() - 1 } }), 'ExpiredTokenException'],
    ['without an end', () => token({ claims: { exp: undefined } }), 'InvalidIdentityToken'],
    ['of tomorrow', () => token({ claims: { nbf: nowSeconds() + 3600 } }), 'InvalidIdentityToken'],
    ['for another audience', () => token({ claims: { aud: ['other'] } }), 'InvalidIdentityToken'],
    ['of another issuer', () => token({ claims: { iss: 'https://example.com' } }), 'InvalidIdentityToken'],
    ['without a subject', () => token({ claims: { sub: '' } }), 'InvalidIdentityToken'],
    ["with a stranger's signature", () => token({ key: stranger.privateKey }), 'InvalidIdentityToken'],
    ['with a key of 1024 bits', () => token({ header: { kid: 'weak' }, key: weak.privateKey }), 'InvalidIdentityToken'],
    ['with a key that the issuer has not', () => token({ header: { kid: 'other' } }), 'InvalidIdentityToken'],
    ['with an algorithm that is not of its key', () => token({ header: { alg: 'ES256' } }), 'InvalidIdentityToken'],
    ['with critical extensions', () => token({ header: { crit: ['exp'] } }), 'InvalidIdentityToken'],
    ['signed with nothing', () => `${unsigned({ alg: 'none' })}.`, 'InvalidIdentityToken'],
    [
      'signed with the public key as a shared secret',
      () => {
        const data = unsigned({ alg: 'HS256' })
        const secret = rsa.publicKey.export({ type: 'spki', format: 'pem' })
        return `${data}.${createHmac('sha256', secret).update(data).digest('base64url')}`
      },
      'InvalidIdentityToken',
    ],
    [
      'that is altered',
      () => token().replace(/\.[^.]*\./, `.${part({ iss: issuer, aud: 'farshore', sub: 'x', exp: 1e12 })}.`),
      'InvalidIdentityToken',
    ],
    ['that is none', () => 'a.b.c.d', 'InvalidIdentityToken'],
  ])('refuses a token %s', async (_, made, code) => {
    const arn = await newRole(node(), trust())
    expect(await refusal(become(arn, made()))).toMatchObject({ code: expect.stringContaining(code), status: 400 })
  })

  it('asks the issuer seldom, however many unknown keys are named', async () => {
    const verify = createWebTokens([{ issuer, audiences: ['farshore'] }])
    await verify(token(), Date.now())
    const before = asked
    for (let i = 0; i < 20; i += 1) await verify(token({ header: { kid: `k${i}` } }), Date.now()).catch(() => undefined)
    expect(asked).toBe(before)
  })

  it('says that the issuer cannot be reached', async () => {
    const verify = createWebTokens([{ issuer: 'http://127.0.0.1:1', audiences: ['farshore'] }])
    const made = token({ claims: { iss: 'http://127.0.0.1:1' } })
    await expect(verify(made, Date.now())).rejects.toMatchObject({ code: 'IDPCommunicationError', status: 400 })
  })

  it('is the only call that goes without a signature', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    for (const body of [
      'Action=GetCallerIdentity&Version=2011-06-15',
      'Action=AssumeRole&Version=2011-06-15&RoleArn=x',
      'Action=AssumeRoleWithWebIdentity&Version=2010-05-08',
    ]) {
      const { status } = await node().raw({ method: 'POST', path: '/', headers: form, body, signed: false })
      expect([400, 403]).toContain(status)
    }
  })
})
