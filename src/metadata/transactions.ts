/**
 * Every transaction by its name: the whole list of what can change a region's metadata.
 * A command is `{ tx: name, …plain data }`, so that the same call works in this process, in a writer thread or over a wire.
 */
import type { Statement, TransactionContext } from './steps.ts'
import { bootTransactions } from './tables/boots.ts'
import { bucketTransactions } from './tables/buckets.ts'
import { controlTransactions } from './tables/control.ts'
import { controlPromotions } from './tables/control-promote.ts'
import { controlSnapshots } from './tables/control-snapshot.ts'
import { controlTrims } from './tables/control-trim.ts'
import { damageTransactions } from './tables/damage.ts'
import { deliveryTransactions } from './tables/deliveries.ts'
import { factTransactions } from './tables/facts.ts'
import { garbageTransactions } from './tables/garbage.ts'
import { keyUseTransactions } from './tables/key-uses.ts'
import { lifecycleTransactions } from './tables/lifecycle.ts'
import { moveCommits } from './tables/move-commits.ts'
import { moveTransactions } from './tables/moves.ts'
import { restoreTransactions } from './tables/restores.ts'
import { segmentTransactions } from './tables/segments.ts'
import { settlementTransactions } from './tables/settlements.ts'
import { taskListTransactions } from './tables/task-lists.ts'
import { tierWriteTransactions } from './tables/tier-writes.ts'
import { uploadTransactions } from './tables/uploads.ts'
import { versionTransactions } from './tables/versions.ts'

// biome-ignore lint/suspicious/noExplicitAny: each entry has its own input and output; `Command` and `Outcome` recover them
export type AnyTransaction = (input: any, context: TransactionContext) => Generator<Statement, unknown, any>

export const transactions = {
  ...bucketTransactions,
  ...versionTransactions,
  ...uploadTransactions,
  ...garbageTransactions,
  ...segmentTransactions,
  ...settlementTransactions,
  ...taskListTransactions,
  ...damageTransactions,
  ...deliveryTransactions,
  ...moveTransactions,
  ...moveCommits,
  ...tierWriteTransactions,
  ...restoreTransactions,
  ...lifecycleTransactions,
  ...controlTransactions,
  ...controlPromotions,
  ...controlSnapshots,
  ...controlTrims,
  ...factTransactions,
  ...bootTransactions,
  ...keyUseTransactions,
} as const satisfies Record<string, AnyTransaction>

type Transactions = typeof transactions
export type TransactionName = keyof Transactions
export type Command<Name extends TransactionName> = { readonly tx: Name } & Parameters<Transactions[Name]>[0]
export type Outcome<Name extends TransactionName> =
  ReturnType<Transactions[Name]> extends Generator<Statement, infer Output, infer _Rows> ? Output : never

/** Transactions that free space or settle work: they may use the disk reserve when the region is full. */
export const usesReserve: ReadonlySet<string> = new Set<TransactionName>([
  'deleteObject',
  'deleteVersion',
  'deleteMany',
  'abortUpload',
  'beginDeleteBucket',
  'cancelDeleteBucket',
  'forgetBlobs',
  'forgetCompletedUploads',
  'markDamaged',
  'clearDamage',
  'setFact',
  'retireSegment',
  'forgetRetired',
  'moveBlobs',
  'noteTierWrites',
  'forgetTierWrites',
  'moveVersion',
  'postponeMove',
  'forgetMove',
  'expireRestore',
  'dropCopy',
  'settle',
  'redriveFailed',
  'retryFailed',
  'retryVersion',
  'applyControl',
  'takeControlSnapshot',
  'trimControl',
  'applyLifecycle',
  'applyLifecycleAgain',
  'applyLifecycleToKey',
  'abortAgedUpload',
  'beginLifecyclePass',
  'endLifecyclePass',
  'forgetLifecycle',
  'countBoot',
])
