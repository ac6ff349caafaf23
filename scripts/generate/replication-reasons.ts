/** Why a replication is FAILED, or PENDING for longer than it should be: from the model's own table. */
import { failureReasons } from '../../src/model/replication-reasons.ts'

export function replicationReasonsPage(): string {
  const rows = Object.entries(failureReasons).sort(([a], [b]) => (a < b ? -1 : 1))
  return `${introduction}
| reason | the version is | what it means |
|---|---|---|
${rows.map(([name, [failureClass, text]]) => `| \`${name}\` | ${failureClass === 'refused' ? 'FAILED' : 'PENDING'} | ${text} |`).join('\n')}
`
}

const introduction = `<!-- Made by npm run generate from src/model/replication-reasons.ts. -->
# Reasons of replication

A FAILED version is tried again by itself when the role, a policy, a bucket or the configuration changes, and at a slow pace besides. A PENDING one
is tried for ever, with growing pauses of at most five minutes. \`farshore replication failed\` lists the versions, \`farshore replication status\` the last error
of each rule. The names are AWS's; those that AWS does not have are DstUnreachable, DstChecksumMismatch, DstBehind,
SrcUnreadable, SrcClockAhead and SrcChecksumMismatch.
`
