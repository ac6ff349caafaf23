/** What a valid replication configuration may ask for and this server does not do: refused by name, never stored and ignored. */
import { S3Error } from './errors.ts'
import type { ReplicationRule } from './replication-configuration.ts'
import { isStoredStorageClass } from './storage-class.ts'

/** @throws S3Error NotImplemented, whose message names the element */
export function refuseUnsupportedReplication(rules: readonly ReplicationRule[]): void {
  for (const rule of rules) {
    const element = unsupportedElement(rule)
    if (element !== undefined) throw new S3Error('NotImplemented', { message: `${element} in a replication rule is not implemented.` })
  }
}

function unsupportedElement(rule: ReplicationRule): string | undefined {
  const { SourceSelectionCriteria: criteria, Destination: destination } = rule
  const { StorageClass: storageClass } = destination
  const existing = 'ExistingObjectReplication' in rule ? rule.ExistingObjectReplication : undefined
  if (criteria?.SseKmsEncryptedObjects?.Status === 'Enabled') return 'SseKmsEncryptedObjects'
  if (destination.EncryptionConfiguration) return 'EncryptionConfiguration'
  if (criteria?.ReplicaModifications?.Status === 'Enabled') return 'ReplicaModifications'
  if (existing?.Status === 'Enabled') return 'ExistingObjectReplication'
  if (destination.ReplicationTime?.Status === 'Enabled') return 'ReplicationTime'
  if (storageClass !== undefined && !isStoredStorageClass(storageClass)) return `StorageClass ${storageClass}`
  return undefined
}
