/** The last requests that a server answered, for people who look at it now. What costs anything is done when somebody looks. */
import type { Caller } from '../access/caller.ts'
import type { Address } from './address.ts'

/** Plain data: it travels between threads. */
export interface RecentRequest {
  readonly atMs: number
  readonly method: string
  /** `PutObject`, `iam:CreateRole`; null: none that is known. */
  readonly operation: string | null
  readonly bucket: string | null
  /** Shortened. */
  readonly key: string | null
  readonly status: number
  readonly ms: number
  /** By whom, as an ARN; null: nobody said, or it was not believed. */
  readonly caller: string | null
}

interface Noted extends Pick<RecentRequest, 'atMs' | 'method' | 'status' | 'ms'> {
  readonly operation: string | undefined
  readonly address: Address | undefined
  readonly caller: Caller | undefined
}

export const recentMax = 200
const keyShownChars = 200

export class RecentRequests {
  readonly #ring: Noted[] = []
  #next = 0

  note(request: Noted): void {
    this.#ring[this.#next] = request
    this.#next = (this.#next + 1) % recentMax
  }

  /** The newest first. */
  list(): readonly RecentRequest[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse().map(shown)
  }
}

function shown({ operation, address, caller, ...facts }: Noted): RecentRequest {
  return {
    ...facts,
    operation: operation ?? null,
    bucket: shortened(address?.bucketName),
    key: shortened(address?.key),
    caller: caller === undefined || caller.kind === 'anonymous' || caller.kind === 'peer' ? null : caller.arn,
  }
}

function shortened(text: string | undefined): string | null {
  if (text === undefined) return null
  return text.length > keyShownChars ? `${text.slice(0, keyShownChars)}…` : text
}
