/**
 * Tokens of web identities: JWTs, signed by a key of a configured issuer. Algorithms are pinned: none, and those with a shared secret,
 * do not exist here, whatever a token says of itself.
 * https://www.rfc-editor.org/rfc/rfc7519, https://www.rfc-editor.org/rfc/rfc8725
 */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { S3Error } from '../model/errors.ts'
import { type IssuerKey, IssuerKeys, type OidcIssuer } from './oidc-keys.ts'

export interface WebIdentity {
  readonly issuer: string
  /** Of those that are configured. */
  readonly audiences: readonly string[]
  readonly subject: string
}

/** @throws S3Error InvalidIdentityToken | ExpiredTokenException | IDPCommunicationError */
export type VerifyWebToken = (token: string, nowMs: number) => Promise<WebIdentity>

interface Algorithm {
  readonly type: 'rsa' | 'ec'
  readonly hash: string
  readonly curve?: string
  readonly pss?: boolean
}

const algorithms: ReadonlyMap<unknown, Algorithm> = new Map<unknown, Algorithm>([
  ['RS256', { type: 'rsa', hash: 'sha256' }],
  ['RS384', { type: 'rsa', hash: 'sha384' }],
  ['RS512', { type: 'rsa', hash: 'sha512' }],
  ['PS256', { type: 'rsa', hash: 'sha256', pss: true }],
  ['PS384', { type: 'rsa', hash: 'sha384', pss: true }],
  ['PS512', { type: 'rsa', hash: 'sha512', pss: true }],
  ['ES256', { type: 'ec', hash: 'sha256', curve: 'prime256v1' }],
  ['ES384', { type: 'ec', hash: 'sha384', curve: 'secp384r1' }],
  ['ES512', { type: 'ec', hash: 'sha512', curve: 'secp521r1' }],
])

/** STS: characters of a token. */
const tokenLengthMax = 20_000
const subjectLengthMax = 255
/** RFC 8725 asks for 2,048 bits. */
const modulusBitsMin = 2048
/** How far the issuer's clock may be ahead. */
const clockSkewSeconds = 60

export function createWebTokens(issuers: readonly OidcIssuer[]): VerifyWebToken {
  const known = new Map(issuers.map((issuer) => [issuer.issuer, { ...issuer, keys: new IssuerKeys(issuer) }]))
  return async (token, nowMs) => {
    const parts = token.length > tokenLengthMax ? [] : token.split('.')
    const [header, payload, signature] = parts
    if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) throw invalid('is not a JWT')
    const { alg, kid, crit } = jsonPart(header)
    const claims = jsonPart(payload)
    const algorithm = algorithms.get(alg)
    if (algorithm === undefined || crit !== undefined || typeof kid !== 'string') throw invalid('is not signed in a way that is taken')
    const issuer = typeof claims.iss === 'string' ? known.get(claims.iss) : undefined
    if (issuer === undefined) throw invalid('is of no issuer that is configured')
    const key = await findKey(issuer.keys, kid, nowMs)
    const isSigned = key !== undefined && isSignedBy({ key, alg, algorithm, data: `${header}.${payload}`, signature })
    if (!isSigned) throw invalid('has a signature that its issuer did not make')
    // Nothing that the token claims counts before this line.
    checkTime(claims, nowMs / 1000)
    return { issuer: issuer.issuer, audiences: audiencesOf(claims, issuer), subject: subjectOf(claims) }
  }
}

function audiencesOf({ aud }: Claims, { audiences }: OidcIssuer): readonly string[] {
  const taken = (Array.isArray(aud) ? aud : [aud]).filter((one): one is string => audiences.includes(one))
  if (taken.length === 0) throw invalid('is for another audience')
  return taken
}

function subjectOf({ sub }: Claims): string {
  if (typeof sub === 'string' && sub !== '' && sub.length <= subjectLengthMax) return sub
  throw invalid('has no subject')
}

function checkTime({ exp, nbf }: Claims, nowSeconds: number): void {
  if (typeof exp !== 'number') throw invalid('has no end')
  if (nowSeconds >= exp) throw new S3Error('ExpiredTokenException')
  if (nbf !== undefined && (typeof nbf !== 'number' || nowSeconds + clockSkewSeconds < nbf)) throw invalid('is not valid yet')
}

async function findKey(keys: IssuerKeys, kid: string, nowMs: number): Promise<IssuerKey | undefined> {
  try {
    return await keys.find(kid, nowMs)
  } catch (cause) {
    throw new S3Error('IDPCommunicationError', { cause })
  }
}

interface Signing {
  readonly key: IssuerKey
  readonly alg: unknown
  readonly algorithm: Algorithm
  readonly data: string
  readonly signature: string
}

function isSignedBy({ key: jwk, alg, algorithm, data, signature }: Signing): boolean {
  if ((jwk.use !== undefined && jwk.use !== 'sig') || (jwk.alg !== undefined && jwk.alg !== alg)) return false
  const key = publicKey(jwk)
  if (key === undefined || !fits(key, algorithm)) return false
  const padding = algorithm.pss === true ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {}
  const options = algorithm.type === 'rsa' ? { key, ...padding } : ({ key, dsaEncoding: 'ieee-p1363' } as const)
  return verify(algorithm.hash, Buffer.from(data), options, Buffer.from(signature, 'base64url'))
}

function fits({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, { type, curve }: Algorithm): boolean {
  if (asymmetricKeyType !== type) return false
  return type === 'ec' ? asymmetricKeyDetails?.namedCurve === curve : (asymmetricKeyDetails?.modulusLength ?? 0) >= modulusBitsMin
}

function publicKey(jwk: IssuerKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}

type Claims = Readonly<Record<string, unknown>>

function jsonPart(text: string): Claims {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // Said below.
  }
  throw invalid('is not a JWT')
}

function invalid(reason: string): S3Error {
  return new S3Error('InvalidIdentityToken', { message: `The web identity token that was passed ${reason}.` })
}
