import { describe, expect, it } from 'vitest'
import type { Task } from '../../src/metadata/tables/tasks.ts'
import { backoffMs, settlementOf } from '../../src/replication/settle.ts'
import type { Acknowledgement } from '../../src/replication/wire.ts'

const nowMs = 1_000_000
const task: Task = {
  ...{ bucketId: 'b', key: 'k', versionId: 'v', destination: 'd', destinationName: 'far', region: 'eu-west-1', ruleId: 'r' },
  ...{ state: 'waiting', isReady: true, revision: 7, contentBytes: 5, isContent: true, createdMs: 1, attempts: 0, nextAttemptMs: 0 },
}

function outcomeOf(acknowledgement: Acknowledgement, of: { readonly task?: Partial<Task>; readonly changedMeanwhile?: boolean } = {}) {
  const sent = { kind: 'answered', task: { ...task, ...of.task }, acknowledgement, expectedProof: 'CRC32:good' } as const
  return settlementOf(sent, { nowMs, random: () => 1, changedMeanwhile: of.changedMeanwhile ?? false })
}

describe('an acknowledgement', () => {
  it('completes a version when its proof is what the source expects, for the revision that was sent', () => {
    expect(outcomeOf({ kind: 'stands', proof: 'CRC32:good' })).toMatchObject({ revision: 7, outcome: { kind: 'completed' } })
  })

  it.each(['CRC32:bad', 'MD5:good', ''])('with the proof %j leaves it PENDING, and says what was read back', (proof) => {
    expect(outcomeOf({ kind: 'stands', proof })?.outcome).toMatchObject({
      kind: 'retry',
      reason: 'DstChecksumMismatch',
      message: expect.stringContaining('CRC32:good'),
    })
  })

  it('of a version that is not there asks for its content at once', () => {
    expect(outcomeOf({ kind: 'missing' })?.outcome).toMatchObject({ kind: 'retry', needsContent: true, nextAttemptMs: nowMs })
  })

  it('of one that was purged completes its content, and fails a later change', () => {
    expect(outcomeOf({ kind: 'purged' })?.outcome).toEqual({ kind: 'completed' })
    expect(outcomeOf({ kind: 'purged' }, { task: { isContent: false } })?.outcome).toMatchObject({
      kind: 'failed',
      reason: 'DstObjectHardDeleted',
    })
  })

  it('of a refusal fails it, to be tried soon when something changed meanwhile', () => {
    const refused = { kind: 'failed', reason: 'DstBucketUnversioned', message: 'why' } as const
    expect(outcomeOf(refused)?.outcome).toMatchObject({ kind: 'failed', nextAttemptMs: nowMs + 50_000 })
    expect(outcomeOf(refused, { changedMeanwhile: true })?.outcome).toMatchObject({ kind: 'failed', nextAttemptMs: nowMs + 250 })
  })

  it('of a fault that passes leaves it PENDING, further off each time and never more than five minutes', () => {
    const fault = { kind: 'failed', reason: 'DstOutOfCapacity', message: 'why' } as const
    const waits = [0, 1, 5, 60].map((attempts) => {
      const outcome = outcomeOf(fault, { task: { attempts } })?.outcome
      return outcome?.kind === 'retry' ? outcome.nextAttemptMs - nowMs : undefined
    })
    expect(waits).toEqual([500, 1_000, 16_000, 300_000])
  })

  it('of one that waits behind a fault of its key says nothing', () => {
    expect(outcomeOf({ kind: 'behindFault' })).toBeUndefined()
  })
})

it('a backoff leaves its last fifth to chance', () => {
  const of = (random: number): number => backoffMs({ firstMs: 1_000, maxMs: 60_000, attempts: 0, random })
  expect([of(0), of(1)]).toEqual([800, 1_000])
})
