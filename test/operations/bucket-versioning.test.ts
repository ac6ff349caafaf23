import { CreateBucketCommand, GetBucketVersioningCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { newName, useDeployment } from '../support/deployment.ts'

const node = useDeployment()

async function newBucket(): Promise<string> {
  const Bucket = newName()
  await node().s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

async function stateOf(Bucket: string) {
  const { Status, MFADelete } = await node().s3.send(new GetBucketVersioningCommand({ Bucket }))
  return { Status, MFADelete }
}

const put = async (bucket: string, inner: string) => {
  const body =
    inner === '' ? undefined : `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</VersioningConfiguration>`
  const answer = await node().raw({ method: 'PUT', path: `/${bucket}?versioning`, ...(body !== undefined && { body }) })
  return [answer.status, answer.element('Code')]
}

describe('PutBucketVersioning', () => {
  it('turns versioning on and suspends it', async () => {
    const Bucket = await newBucket()
    for (const Status of ['Enabled', 'Suspended', 'Enabled'] as const) {
      await node().s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }))
      expect(await stateOf(Bucket)).toEqual({ Status, MFADelete: undefined })
    }
  })

  it.each([
    ['<Status>Off</Status>', [400, 'MalformedXML']],
    ['<Status>enabled</Status>', [400, 'MalformedXML']],
    ['<Status>Enabled</Status><Status>Enabled</Status>', [400, 'MalformedXML']],
    ['<Status>Enabled</Status><More/>', [400, 'MalformedXML']],
    ['<MfaDelete>Disabled</MfaDelete>', [400, 'IllegalVersioningConfigurationException']],
    ['<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>', [501, 'NotImplemented']],
    ['', [400, 'MissingRequestBodyError']],
  ])('refuses %s and changes nothing', async (inner, refused) => {
    const Bucket = await newBucket()
    expect(await put(Bucket, inner)).toEqual(refused)
    expect((await stateOf(Bucket)).Status).toBeUndefined()
  })

  it('takes MfaDelete Disabled, which asks for nothing', async () => {
    expect(await put(await newBucket(), '<Status>Enabled</Status><MfaDelete>Disabled</MfaDelete>')).toEqual([200, undefined])
  })
})

describe('GetBucketVersioning', () => {
  it('is empty for a bucket that was never versioned', async () => {
    const answer = await node().raw({ method: 'GET', path: `/${await newBucket()}?versioning` })
    expect(answer.status).toBe(200)
    expect(answer.text).toMatch(/<VersioningConfiguration xmlns="[^"]+"><\/VersioningConfiguration>$/)
  })
})
