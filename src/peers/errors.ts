/** The two ways in which a message to another region comes to nothing: nobody can say, or the region says no. */
import { errorTable, S3Error, type S3ErrorCode } from '../model/errors.ts'

/**
 * `waiting`: not even tried, because the region was found to be away · `network`: no answer, or not in time ·
 * `stranger`: what answers is not that region · `credential`: it does not believe us · `protocol`: it speaks another version ·
 * `server`: the region is there, and has trouble of its own (5xx).
 */
export type PeerFault = 'waiting' | 'network' | 'stranger' | 'credential' | 'protocol' | 'server'

/**
 * It is unknown whether the message had an effect, unless `isUnsent`. Trying again later may well work.
 * `message` names the region and says why, for people.
 */
export class PeerUnreachable extends Error {
  readonly region: string
  readonly fault: PeerFault
  readonly why: string
  /** No byte of the message has left: it cannot have had an effect. */
  readonly isUnsent: boolean

  constructor(parts: {
    readonly region: string
    readonly fault: PeerFault
    readonly why: string
    readonly isUnsent?: boolean
    readonly cause?: unknown
  }) {
    const { region, fault, why, isUnsent = fault === 'waiting', cause } = parts
    super(`Region ${region} cannot be reached: ${why}`, cause === undefined ? undefined : { cause })
    this.name = 'PeerUnreachable'
    this.region = region
    this.fault = fault
    this.why = why
    this.isUnsent = isUnsent
  }

  /** What a client is told. */
  toS3Error(): S3Error {
    return new S3Error('ServiceUnavailable', { message: this.message, details: { Region: this.region }, cause: this })
  }
}

/** The region understood the message and refuses it: trying the same again gives the same answer. */
export class PeerRefused extends Error {
  readonly region: string
  /** A code of S3's table, or one of the routes' own. */
  readonly code: string
  readonly status: number
  readonly details: Readonly<Record<string, string | number>>

  constructor(parts: {
    readonly region: string
    readonly code: string
    readonly status: number
    readonly message: string
    readonly details?: Readonly<Record<string, string | number>>
  }) {
    super(parts.message)
    this.name = 'PeerRefused'
    this.region = parts.region
    this.code = parts.code
    this.status = parts.status
    this.details = parts.details ?? {}
  }

  /** The same refusal, as if it had been decided here. */
  toS3Error(): S3Error {
    const { code, message, details, region } = this
    if (isS3Code(code)) return new S3Error(code, { message, details })
    return new S3Error('ServiceUnavailable', { message: `Region ${region} refused: ${code}: ${message}`, cause: this })
  }
}

function isS3Code(code: string): code is S3ErrorCode {
  return Object.hasOwn(errorTable, code)
}
