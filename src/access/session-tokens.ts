/**
 * Temporary credentials. Nothing of them is stored: the token is the session itself, sealed, and so it is good in every region at once.
 * Whoever opens one still looks up who it was issued for, as that stands now.
 */
import { createHmac, type KeyObject } from 'node:crypto'
import { S3Error } from '../model/errors.ts'
import { newKeyId } from './access-keys.ts'
import { createSealer, deriveKey } from './sealing.ts'

/** For whom: whose permissions the session has, as they stand whenever it is used. */
export interface SessionIssuer {
  /** `federated`: a session with a name of its own, made by a user or by the root, who is the issuer. */
  readonly kind: 'role' | 'user' | 'root' | 'federated'
  readonly accountId: string
  /** Of the role or the user; absent for the root. */
  readonly name?: string
  /** The unique id, `AROA…` or `AIDA…`: one deleted and made anew is another. The account's id for the root. */
  readonly id: string
}

export interface SessionRequest {
  readonly issuer: SessionIssuer
  /** Needed for roles and the federated. */
  readonly sessionName?: string
  readonly sourceIdentity?: string
  /** Session policies: JSON documents that have been checked. */
  readonly policies?: readonly string[]
  /** Managed policies that narrow it too. */
  readonly policyArns?: readonly string[]
  readonly durationSeconds: number
  readonly nowMs: number
}

export interface TemporaryKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresMs: number
}

/** What a token says. */
export interface OpenedSession extends Required<Pick<SessionRequest, 'policies' | 'policyArns'>> {
  readonly issuer: SessionIssuer
  readonly sessionName?: string
  readonly sourceIdentity?: string
  readonly issuedMs: number
  readonly expiresMs: number
}

export interface Sessions {
  /** @throws S3Error ValidationError (policies over 2,048 characters together) | PackedPolicyTooLarge */
  issueSession(request: SessionRequest): TemporaryKey
  /** Undefined for a token that was not issued with that key id by this deployment, or was altered. An expired one is opened. */
  openSession(key: {
    readonly accessKeyId: string
    readonly sessionToken: string
  }): { readonly session: OpenedSession; readonly secretAccessKey: string } | undefined
}

/** STS: of all session policies of a call together. */
const policiesLengthMax = 2_048
/** Requests carry it in a header. */
const tokenLengthMax = 16 * 1024
const secretLength = 40

/** @param secret  the deployment's peering secret, the same in every region */
export function createSessions({ secret }: { readonly secret: string }): Sessions {
  const sealer = createSealer({ secret, label: 'farshore session token' })
  const secretKey = deriveKey({ secret, label: 'farshore session secret' })
  return {
    issueSession({ durationSeconds, nowMs, policies = [], policyArns = [], ...said }) {
      checkPolicies(policies)
      const session: OpenedSession = { ...said, policies, policyArns, issuedMs: nowMs, expiresMs: nowMs + durationSeconds * 1_000 }
      const accessKeyId = newKeyId('ASIA')
      const sessionToken = sealer.seal(JSON.stringify(session), accessKeyId)
      if (sessionToken.length > tokenLengthMax) throw new S3Error('PackedPolicyTooLarge')
      return { accessKeyId, secretAccessKey: secretOf(secretKey, sessionToken), sessionToken, expiresMs: session.expiresMs }
    },
    openSession({ accessKeyId, sessionToken }) {
      if (sessionToken.length > tokenLengthMax) return undefined
      const text = sealer.open(sessionToken, accessKeyId)
      if (text === undefined) return undefined
      // It has been sealed above: what opens is of this form.
      return { session: JSON.parse(text) as OpenedSession, secretAccessKey: secretOf(secretKey, sessionToken) }
    },
  }
}

function checkPolicies(policies: readonly string[]): void {
  if (policies.reduce((sum, policy) => sum + policy.length, 0) <= policiesLengthMax) return
  throw new S3Error('ValidationError', {
    message: `1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to ${policiesLengthMax}`,
  })
}

/** Whoever knows the token alone cannot sign: its secret comes from a key that never leaves the deployment. */
function secretOf(key: KeyObject, sessionToken: string): string {
  return createHmac('sha256', key).update(sessionToken).digest('base64').slice(0, secretLength)
}
