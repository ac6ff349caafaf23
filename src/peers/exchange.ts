/** One request and its whole answer over a pool of connections. Redirects are not followed: undici does so only when told. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Pool } from 'undici'
import { networkFault } from '../lib/network-fault.ts'
import type { Answered } from './answer.ts'
import { PeerUnreachable } from './errors.ts'

type ExchangeOptions = Parameters<Pool['request']>[0] & { readonly region: string; readonly maxBytes: number }

/** @throws PeerUnreachable; the signal's reason when it aborts */
export async function exchange(pool: Pool, { region, maxBytes, ...options }: ExchangeOptions): Promise<Answered> {
  const signal = options.signal instanceof AbortSignal ? options.signal : undefined
  try {
    const response = await pool.request(options)
    const pieces: Buffer[] = []
    let length = 0
    for await (const piece of response.body as AsyncIterable<Buffer>) {
      length += piece.length
      if (length > maxBytes) {
        throw new PeerUnreachable({ region, fault: 'stranger', why: `its answer has more than ${maxBytes} bytes` })
      }
      pieces.push(piece)
    }
    // undici's headers differ from node's only in their type.
    return { region, status: response.statusCode, headers: response.headers as IncomingHttpHeaders, bytes: Buffer.concat(pieces) }
  } catch (cause) {
    if (signal?.aborted) throw signal.reason
    if (cause instanceof PeerUnreachable) throw cause
    throw new PeerUnreachable({ region, fault: 'network', why: networkFault(cause), isUnsent: unsentCodes.includes(codeOf(cause)), cause })
  }
}

/** There was no connection. */
const unsentCodes: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}
