/** `activity`: the last requests of a region, and the last changes of names and identities. Of a change what it is about, and nothing of what it says. */
import type { Metadata } from '../metadata/engine.ts'
import { type ControlChange, newestControlRows } from '../metadata/tables/control.ts'
import { type RecentRequest, recentMax } from '../s3/recent.ts'
import type { AdminRoute } from './admin-route.ts'

const changesMax = 50

export interface ActivityParts {
  /** Of all threads, in any order. */
  readonly recent: () => Promise<readonly RecentRequest[]>
  readonly metadata: Metadata
}

export function activityRoute({ recent, metadata }: ActivityParts): AdminRoute {
  return {
    method: 'GET',
    path: 'activity',
    async answer() {
      const requests = [...(await recent())].sort((a, b) => b.atMs - a.atMs).slice(0, recentMax)
      const rows = await metadata.read(() => newestControlRows(changesMax))
      return {
        requests: requests.map(({ atMs, ...request }) => ({ at: new Date(atMs).toISOString(), ...request })),
        changes: rows.map(({ position, timeMs, change }) => ({ position, at: new Date(timeMs).toISOString(), ...aboutOf(change) })),
      }
    },
  }
}

interface About {
  readonly kind: string
  /** What was changed, and whose it is. */
  readonly what: string
  readonly accountId: string | null
}

/** NOTE: every member that is told is named here: rows hold sealed secrets and whole documents. */
function aboutOf(change: ControlChange): About {
  switch (change.kind) {
    case 'setHome':
      return about(change.kind, change.region)
    case 'createBucket':
      return about(change.kind, change.bucket.name)
    case 'deleteBucket':
      return about(change.kind, change.name)
    case 'createAccount':
      return about(change.kind, change.account.displayName, change.account.accountId)
    case 'changeAccount':
    case 'deleteAccount':
      return about(change.kind, change.accountId, change.accountId)
    case 'createIdentity':
      return about(change.kind, `${change.identity.type} ${change.identity.name}`, change.identity.accountId)
    case 'deleteIdentity':
      return about(change.kind, `${change.of.type} ${change.of.name}`, change.of.accountId)
    case 'editIdentity':
      return about(change.edit.kind, `${change.of.type} ${change.of.name}`, change.of.accountId)
    case 'createAccessKey':
      return about(change.kind, change.key.accessKeyId, change.key.accountId)
    case 'setAccessKeyStatus':
    case 'deleteAccessKey':
      return about(change.kind, change.accessKeyId, change.accountId)
    default:
      // Rows of earlier versions.
      return about(change.kind, 'role')
  }
}

function about(kind: string, what: string, accountId?: string): About {
  return { kind, what, accountId: accountId ?? null }
}
