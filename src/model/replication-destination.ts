/** The Destination of a replication rule: what can be refused without knowing the bucket. */
import { checkBucketArn } from './arn.ts'
import { S3Error } from './errors.ts'
import type { ReplicationRuleDestination } from './replication-configuration.ts'
import { type MinutesInput, type ReplicationDestinationInput, readStatus } from './replication-input.ts'
import { isStorageClass } from './storage-class.ts'

/** S3 Replication Time Control knows one threshold. */
const thresholdMinutes = 15

/** @throws S3Error MalformedXML | InvalidArgument | InvalidRequest */
export function checkRuleDestination(input: ReplicationDestinationInput): ReplicationRuleDestination {
  if (input.Bucket === undefined) throw new S3Error('MalformedXML')
  checkBucketArn(input.Bucket)
  const { StorageClass: storageClass } = input
  if (storageClass !== undefined && !isStorageClass(storageClass)) throw new S3Error('MalformedXML')
  return {
    Bucket: input.Bucket,
    ...(input.Account !== undefined && { Account: input.Account }),
    ...(storageClass !== undefined && { StorageClass: storageClass }),
    ...checkOwner(input),
    ...checkEncryption(input),
    ...checkTimeAndMetrics(input),
  }
}

function checkOwner(input: ReplicationDestinationInput): Pick<ReplicationRuleDestination, 'AccessControlTranslation'> {
  if (input.AccessControlTranslation === undefined) return {}
  if (input.AccessControlTranslation.Owner !== 'Destination') throw new S3Error('MalformedXML')
  if (input.Account === undefined || input.Account === '') {
    throw new S3Error('InvalidRequest', { message: 'Account must be specified if the Owner in AccessControlTranslation has a value' })
  }
  return { AccessControlTranslation: { Owner: 'Destination' } }
}

function checkEncryption(input: ReplicationDestinationInput): Pick<ReplicationRuleDestination, 'EncryptionConfiguration'> {
  if (input.EncryptionConfiguration === undefined) return {}
  const { ReplicaKmsKeyID } = input.EncryptionConfiguration
  if (ReplicaKmsKeyID === undefined || ReplicaKmsKeyID === '') throw new S3Error('MalformedXML')
  return { EncryptionConfiguration: { ReplicaKmsKeyID } }
}

function checkTimeAndMetrics(input: ReplicationDestinationInput): Pick<ReplicationRuleDestination, 'ReplicationTime' | 'Metrics'> {
  const { ReplicationTime: time, Metrics: metrics } = input
  if (time === undefined && metrics === undefined) return {}
  if (time === undefined || metrics === undefined) {
    throw new S3Error('InvalidRequest', { message: 'Replication destination must contain both ReplicationTime and Metrics or neither.' })
  }
  const timeStatus = readStatus('ReplicationTime', time.Status)
  const metricsStatus = readStatus('Metrics', metrics.Status)
  if (timeStatus !== metricsStatus) {
    throw new S3Error('InvalidRequest', { message: 'ReplicationTime and Metrics must have the same Status.' })
  }
  if (time.Time === undefined) throw new S3Error('MalformedXML')
  if (timeStatus === 'Enabled' && metrics.EventThreshold === undefined) {
    throw invalidMinutes('Metrics', '', 'Metrics must contain an event threshold')
  }
  return {
    ReplicationTime: { Status: timeStatus, Time: { Minutes: readMinutes('ReplicationTime', time.Time) } },
    Metrics: {
      Status: metricsStatus,
      ...(metrics.EventThreshold && { EventThreshold: { Minutes: readMinutes('Metrics', metrics.EventThreshold) } }),
    },
  }
}

function readMinutes(name: string, { Minutes }: MinutesInput): number {
  if (Minutes !== undefined && !/^[+-]?[0-9]{1,10}$/.test(Minutes.trim())) throw new S3Error('MalformedXML')
  if (Number(Minutes) !== thresholdMinutes) {
    throw invalidMinutes(name, Minutes ?? '', `Invalid minute value: ${name} must have ${thresholdMinutes} minutes`)
  }
  return thresholdMinutes
}

function invalidMinutes(name: string, value: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, details: { ArgumentName: name, ArgumentValue: value } })
}
