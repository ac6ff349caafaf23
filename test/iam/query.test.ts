import { CreateLoginProfileCommand, IAMClient } from '@aws-sdk/client-iam'
import { GetAccessKeyInfoCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, it } from 'vitest'
import { createKeySealing } from '../../src/access/access-keys.ts'
import { createSessions } from '../../src/access/session-tokens.ts'
import { createQueryHandler } from '../../src/iam/query.ts'
import { QueryString } from '../../src/s3/query-string.ts'
import { account, credentials, refusal, rootArn, useDeployment } from '../support/deployment.ts'

const node = useDeployment({ regions: ['eu-west-1'] })
const secret = 's'.repeat(32)
const form = { 'content-type': 'application/x-www-form-urlencoded' }

/** `body` as it goes out, signed for the region that IAM and STS clients sign for. */
const call = (service: 'iam' | 'sts', body: string, scope = 'us-east-1') =>
  node().raw({ method: 'POST', path: '/', headers: form, body, service, scope })

describe('GetCallerIdentity', () => {
  it('says that the root of the account is asking', async () => {
    const sts = new STSClient({ endpoint: node().endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 })
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Arn: rootArn,
      UserId: account.accountId,
      Account: account.accountId,
    })
    sts.destroy()
  })

  it('answers in the form of STS', async () => {
    const answer = await call('sts', 'Action=GetCallerIdentity&Version=2011-06-15')
    expect(answer.headers.get('content-type')).toBe('text/xml')
    expect(answer.text).toContain('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>')
    expect(answer.element('RequestId')).toBe(answer.headers.get('x-amzn-requestid'))
  })
})

describe('a call that is not served', () => {
  it.each([
    [
      'IAM',
      () =>
        new IAMClient({ endpoint: node().endpoint, region: 'us-east-1', credentials, maxAttempts: 1 }).send(
          new CreateLoginProfileCommand({ UserName: 'u', Password: 'p' }),
        ),
      'CreateLoginProfile',
    ],
    [
      'STS',
      () =>
        new STSClient({ endpoint: node().endpoint, region: 'us-east-1', credentials, maxAttempts: 1 }).send(
          new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIATESTTESTTESTTEST' }),
        ),
      'GetAccessKeyInfo',
    ],
  ])('is NotImplemented by its name in %s', async (_, send, name) => {
    expect(await refusal(send())).toMatchObject({ code: 'NotImplemented', status: 501, message: expect.stringContaining(name) })
  })

  it('is an error in the form of IAM', async () => {
    const { status, text } = await call('iam', 'Action=GetRole&Version=2010-05-08&RoleName=nobody')
    expect(status).toBe(404)
    expect(text).toMatch(
      /<ErrorResponse xmlns="https:\/\/iam.amazonaws.com\/doc\/2010-05-08\/"><Error><Type>Sender<\/Type><Code>NoSuchEntity<\/Code><Message>[^<]+<\/Message><\/Error><RequestId>\w+<\/RequestId><\/ErrorResponse>$/,
    )
  })

  it.each([
    ['without a version', 'Action=GetRole&RoleName=r', 400, 'InvalidAction'],
    ['of another version', 'Action=GetRole&RoleName=r&Version=2011-06-15', 400, 'InvalidAction'],
    ['without an action', 'Version=2010-05-08', 400, 'InvalidAction'],
    ['of STS', 'Action=GetCallerIdentity&Version=2010-05-08', 501, 'NotImplemented'],
    ['named like a member of every object', 'Action=constructor&Version=2010-05-08', 501, 'NotImplemented'],
    ['with a parameter twice', 'Action=GetRole&RoleName=r&RoleName=s&Version=2010-05-08', 400, 'ValidationError'],
    ['without a required parameter', 'Action=GetRole&Version=2010-05-08', 400, 'ValidationError'],
    ['with a parameter that is not read', 'Action=GetRole&RoleName=r&Verbose=1&Version=2010-05-08', 501, 'NotImplemented'],
    ['with a number that is none', 'Action=ListRoles&MaxItems=ten&Version=2010-05-08', 400, 'ValidationError'],
  ])('is refused %s', async (_, body, status, code) => {
    const answer = await call('iam', body)
    expect([answer.status, answer.element('Code')]).toEqual([status, code])
  })
})

describe('a caller', () => {
  it('without a signature is nobody', async () => {
    const body = 'Action=ListRoles&Version=2010-05-08'
    const answer = await node().raw({ method: 'POST', path: '/', headers: form, body, signed: false })
    expect([answer.status, answer.element('Code')]).toEqual([403, 'MissingAuthenticationToken'])
  })

  it.each(['CreateRole', 'ListRoles', 'GetCallerIdentity', 'CreateUser'])('that is another region may not call %s', async (action) => {
    const handle = createQueryHandler({
      identities: node().control,
      accessKeys: createKeySealing({ secret }),
      sessions: createSessions({ secret }),
    })
    const service = action === 'GetCallerIdentity' ? 'sts' : 'iam'
    const parameters = new QueryString(service === 'sts' ? 'Version=2011-06-15' : 'Version=2010-05-08')
    const asked = {
      service,
      action,
      parameters,
      caller: { kind: 'peer', region: 'us-east-1' },
      requestId: 'R',
      nowMs: 0,
      signal: AbortSignal.timeout(1000),
    } as const
    await expect(handle(asked)).rejects.toMatchObject({ code: 'AccessDenied', status: 403 })
  })
})
