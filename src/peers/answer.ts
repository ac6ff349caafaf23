/** What came back from another region: whole, bounded, and judged. */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { PeerRefused, PeerUnreachable } from './errors.ts'
import { protocolHeader, protocolVersion, regionHeader } from './protocol.ts'

export interface Answered {
  readonly region: string
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
}

export class PeerAnswer implements Answered {
  readonly region: string
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer

  constructor({ region, status, headers, bytes }: Answered) {
    this.region = region
    this.status = status
    this.headers = headers
    this.bytes = bytes
  }

  /** @throws PeerUnreachable when it is not what the schema says */
  json<T>(schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(jsonOf(this.bytes))
    if (parsed.success) return parsed.data
    const why = `its answer is not understood (${z.prettifyError(parsed.error).slice(0, 300)})`
    throw new PeerUnreachable({ region: this.region, fault: 'stranger', why, cause: parsed.error })
  }
}

/** @throws PeerUnreachable | PeerRefused for anything but a success of the region that was asked */
export function judged(answered: Answered): PeerAnswer {
  const { region, status, headers } = answered
  const unreachable = (fault: PeerUnreachable['fault'], why: string): PeerUnreachable => new PeerUnreachable({ region, fault, why })
  const version = headers[protocolHeader]
  if (version === undefined) throw strange(answered)
  if (version !== protocolVersion) {
    const why = `it speaks version ${String(version)} of the protocol between regions, and this region version ${protocolVersion}`
    throw unreachable('protocol', why)
  }
  if (headers[regionHeader] !== region) throw unreachable('stranger', `its endpoint is answered by region ${String(headers[regionHeader])}`)
  if (status >= 200 && status < 300) return new PeerAnswer(answered)
  const refusal = refusalSchema.safeParse(jsonOf(answered.bytes))
  if (!refusal.success) throw unreachable('stranger', `it answered ${status} without saying why`)
  const { code, message, details } = refusal.data
  if (status >= 500 || transportCodes.has(code)) throw unreachable('server', `it answered ${status} ${code}: ${message}`)
  if (code === 'ProtocolMismatch') throw unreachable('protocol', message)
  throw new PeerRefused({ region, code, status, message, details })
}

const refusalSchema = z.object({
  code: z.string().max(128),
  message: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
})

/** Refusals that say something about the way of a message and nothing about its matter. */
const transportCodes: ReadonlySet<string> = new Set(['IncompleteBody', 'RequestTimeout', 'XAmzContentSHA256Mismatch', 'SlowDown'])

/** Answers that no route gave: from the region's front, from a proxy, or from somebody else. */
function strange({ region, status, bytes }: Answered): PeerUnreachable {
  const text = bytes.subarray(0, 4096).toString('latin1')
  const code = /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1]
  const message = /<Message>([^<]{1,300})<\/Message>/.exec(text)?.[1]
  if (code !== undefined && status < 500) {
    return new PeerUnreachable({
      region,
      fault: 'credential',
      why: `it does not accept this region's signature (${code}: ${message ?? ''})`,
    })
  }
  const why = code === undefined ? `what answers there (${status}) is no region of Farshore` : `it answered ${status} ${code}`
  return new PeerUnreachable({ region, fault: code === undefined ? 'stranger' : 'network', why })
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
