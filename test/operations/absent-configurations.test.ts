import {
  CreateBucketCommand,
  GetBucketAccelerateConfigurationCommand,
  GetBucketCorsCommand,
  GetBucketLoggingCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketRequestPaymentCommand,
  GetBucketWebsiteCommand,
  PutBucketAccelerateConfigurationCommand,
  PutBucketRequestPaymentCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'

const node = useDeployment()
const Bucket = newName()
beforeAll(async () => {
  await node().s3.send(new CreateBucketCommand({ Bucket }))
})

const bodyOf = async (query: string) => (await node().raw({ method: 'GET', path: `/${Bucket}?${query}` })).text

describe('a configuration that no bucket has', () => {
  it('is empty when S3 answers so for a bucket without it', async () => {
    expect((await node().s3.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled).toBeUndefined()
    const { $metadata, ...notification } = await node().s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }))
    expect(notification).toEqual({})
    expect((await node().s3.send(new GetBucketAccelerateConfigurationCommand({ Bucket }))).Status).toBeUndefined()
    expect((await node().s3.send(new GetBucketRequestPaymentCommand({ Bucket }))).Payer).toBe('BucketOwner')
    for (const [query, element] of [
      ['logging', 'BucketLoggingStatus'],
      ['notification', 'NotificationConfiguration'],
      ['accelerate', 'AccelerateConfiguration'],
    ] as const) {
      expect(await bodyOf(query)).toMatch(new RegExp(`<${element} xmlns="http://s3.amazonaws.com/doc/2006-03-01/"\\s*(/>|></${element}>)$`))
    }
  })

  it('is a 404 of its own when S3 answers so', async () => {
    const cors = node().s3.send(new GetBucketCorsCommand({ Bucket }))
    expect(await refusal(cors)).toMatchObject({ code: 'NoSuchCORSConfiguration', status: 404 })
    const website = node().s3.send(new GetBucketWebsiteCommand({ Bucket }))
    expect(await refusal(website)).toMatchObject({ code: 'NoSuchWebsiteConfiguration', status: 404 })
  })

  it('cannot be put', async () => {
    const accelerate = new PutBucketAccelerateConfigurationCommand({ Bucket, AccelerateConfiguration: { Status: 'Enabled' } })
    expect(await refusal(node().s3.send(accelerate))).toMatchObject({ code: 'NotImplemented', status: 501 })
    const payer = new PutBucketRequestPaymentCommand({ Bucket, RequestPaymentConfiguration: { Payer: 'Requester' } })
    expect(await refusal(node().s3.send(payer))).toMatchObject({ code: 'NotImplemented', status: 501 })
  })

  it('of a bucket that is not there is NoSuchBucket', async () => {
    const logging = node().s3.send(new GetBucketLoggingCommand({ Bucket: newName() }))
    expect(await refusal(logging)).toMatchObject({ code: 'NoSuchBucket', status: 404 })
  })
})
