/** What the admin API tells of a region among the others. */
import type { Control } from '../control/control.ts'

export interface RegionStanding {
  readonly region: string
  /** The region that keeps the control log; null before anybody has said. */
  readonly home: string | null
  readonly epoch: number
  /** Rows of the control log that are applied here. */
  readonly rows: number
  /** Rows that home had when it was last heard from here; null before. */
  readonly homeRows: number | null
  /** Why no more are applied; null while all is well. */
  readonly stopped: string | null
  /** Of the names and identities after so many rows, SHA-256 in hex: equal in all regions at the same row. */
  readonly state: { readonly rows: number; readonly digest: string }
  /** The other regions, as they are reached from here. */
  readonly links: readonly {
    readonly region: string
    readonly isReachable: boolean
    /** Since when it has been away, ISO 8601, and why; null while it is reachable. */
    readonly awaySince: string | null
    readonly why: string | null
  }[]
}

/** How another region is reached, as peers tell it. */
interface Link {
  readonly region: string
  readonly link: { readonly state: 'closed' } | { readonly state: 'open' | 'half-open'; readonly sinceMs: number; readonly why: string }
}

interface StandingParts {
  readonly control: Pick<Control, 'standing' | 'digest'>
  readonly peers: { readonly self: string; greet(): Promise<void>; status(): readonly Link[] }
}

/** Asks each of the others for a sign of life first, for two seconds at most: what was last known of a quiet link may be old. */
export async function regionStanding({ control, peers }: StandingParts): Promise<RegionStanding> {
  await peers.greet()
  const state = await control.digest()
  const { home, epoch, position, homePosition, stopped } = control.standing()
  return {
    region: peers.self,
    home: home ?? null,
    epoch,
    rows: position,
    homeRows: homePosition ?? null,
    stopped: stopped ?? null,
    state: { rows: state.position, digest: state.digest },
    links: peers
      .status()
      .map(({ region, link }) =>
        link.state === 'closed'
          ? { region, isReachable: true, awaySince: null, why: null }
          : { region, isReachable: false, awaySince: new Date(link.sinceMs).toISOString(), why: link.why },
      ),
  }
}
