import {
  AddUserToGroupCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteGroupCommand,
  DeleteUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  GetAccessKeyLastUsedCommand,
  GetGroupCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  ListGroupsForUserCommand,
  ListUsersCommand,
  ListUserTagsCommand,
  PutUserPermissionsBoundaryCommand,
  paginateListUsers,
  RemoveUserFromGroupCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { describe, expect, it } from 'vitest'
import { newName, refusal, useDeployment } from '../support/deployment.ts'
import { homeAccount, iamOf, newAccount, newUser, stsOf } from './callers.ts'

const node = useDeployment({ regions: ['us-east-1', 'eu-west-1'] })
const root = () => iamOf(node())

describe('a user', () => {
  it('is answered whole when it is made, and is known in the other region', async () => {
    const UserName = newName('user')
    const { User } = await root().send(new CreateUserCommand({ UserName, Path: '/staff/', Tags: [{ Key: 'team', Value: 'a' }] }))
    expect(User).toMatchObject({
      UserName,
      Path: '/staff/',
      Arn: `arn:aws:iam::${homeAccount}:user/staff/${UserName}`,
      UserId: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/),
      Tags: [{ Key: 'team', Value: 'a' }],
    })
    expect((await iamOf(node('eu-west-1')).send(new GetUserCommand({ UserName }))).User).toEqual(User)
  })

  it('is refused under a name that is taken, in whatever case', async () => {
    const { name } = await newUser(node())
    const again = root().send(new CreateUserCommand({ UserName: name.toUpperCase() }))
    expect(await refusal(again)).toMatchObject({ code: 'EntityAlreadyExistsException', status: 409 })
  })

  it.each([['a/b'], ['u'.repeat(65)], ['é'], ['']])('is refused under the name %j', async (UserName) => {
    expect(await refusal(root().send(new CreateUserCommand({ UserName })))).toMatchObject({ code: 'ValidationError', status: 400 })
  })

  it('is listed once, in pages, under its path', async () => {
    const Path = `/${newName('path')}/`
    const names = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const UserName = newName('user')
        await root().send(new CreateUserCommand({ UserName, Path }))
        return UserName
      }),
    )
    const listed: (string | undefined)[] = []
    for await (const page of paginateListUsers({ client: root(), pageSize: 2 }, { PathPrefix: Path })) {
      expect(page.Users?.length).toBeLessThanOrEqual(2)
      listed.push(...(page.Users ?? []).map(({ UserName }) => UserName))
    }
    expect(listed).toEqual(names.sort())
  })

  it('is not deleted while it has keys', async () => {
    const { name, keys } = await newUser(node())
    expect(await refusal(root().send(new DeleteUserCommand({ UserName: name })))).toMatchObject({
      code: 'DeleteConflictException',
      status: 409,
      message: expect.stringContaining('must delete access keys first'),
    })
    await root().send(new DeleteAccessKeyCommand({ UserName: name, AccessKeyId: keys.accessKeyId }))
    await root().send(new DeleteUserCommand({ UserName: name }))
    expect(await refusal(root().send(new GetUserCommand({ UserName: name })))).toMatchObject({ code: 'NoSuchEntityException', status: 404 })
  })

  it('is tagged and untagged, keys without regard to case', async () => {
    const { name: UserName } = await newUser(node())
    await root().send(
      new TagUserCommand({
        UserName,
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '' },
        ],
      }),
    )
    await root().send(new TagUserCommand({ UserName, Tags: [{ Key: 'A', Value: '2' }] }))
    await root().send(new UntagUserCommand({ UserName, TagKeys: ['B'] }))
    expect((await root().send(new ListUserTagsCommand({ UserName }))).Tags).toEqual([{ Key: 'A', Value: '2' }])
    const twice = root().send(
      new TagUserCommand({
        UserName,
        Tags: [
          { Key: 'x', Value: '' },
          { Key: 'X', Value: '' },
        ],
      }),
    )
    expect(await refusal(twice)).toMatchObject({ code: 'InvalidInputException', status: 400 })
  })

  it('gets and loses a boundary', async () => {
    const { name: UserName } = await newUser(node())
    const PermissionsBoundary = 'arn:aws:iam::aws:policy/AmazonS3FullAccess'
    await root().send(new PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary }))
    const get = async () => (await root().send(new GetUserCommand({ UserName }))).User?.PermissionsBoundary?.PermissionsBoundaryArn
    expect(await get()).toBe(PermissionsBoundary)
    await root().send(new DeleteUserPermissionsBoundaryCommand({ UserName }))
    expect(await get()).toBeUndefined()
  })

  it('of another account is nobody, and is in no list', async () => {
    const { name: UserName } = await newUser(node())
    const other = await newAccount(node())
    expect(await refusal(other.iam.send(new GetUserCommand({ UserName })))).toMatchObject({ code: 'NoSuchEntityException' })
    expect((await other.iam.send(new ListUsersCommand({}))).Users).toEqual([])
  })
})

describe('an access key', () => {
  it('works at once, in every region, and its secret is shown once', async () => {
    const { name, arn, keys } = await newUser(node())
    for (const region of ['us-east-1', 'eu-west-1']) {
      expect((await stsOf(node(region), keys).send(new GetCallerIdentityCommand({}))).Arn).toBe(arn)
    }
    const { AccessKeyMetadata } = await root().send(new ListAccessKeysCommand({ UserName: name }))
    expect(AccessKeyMetadata).toEqual([{ UserName: name, AccessKeyId: keys.accessKeyId, Status: 'Active', CreateDate: expect.any(Date) }])
  })

  it('opens nothing while it is inactive, nor once it is deleted', async () => {
    const { name: UserName, keys, sts } = await newUser(node())
    const set = (Status: 'Active' | 'Inactive') =>
      root().send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: keys.accessKeyId, Status }))
    const ask = () => sts.send(new GetCallerIdentityCommand({}))
    await set('Inactive')
    expect(await refusal(ask())).toMatchObject({ code: 'InvalidClientTokenId', status: 403 })
    await set('Active')
    await ask()
    await root().send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: keys.accessKeyId }))
    expect(await refusal(ask())).toMatchObject({ code: 'InvalidClientTokenId', status: 403 })
  })

  it('is the second at most', async () => {
    const { name: UserName } = await newUser(node())
    await root().send(new CreateAccessKeyCommand({ UserName }))
    expect(await refusal(root().send(new CreateAccessKeyCommand({ UserName })))).toMatchObject({
      code: 'LimitExceededException',
      status: 409,
    })
  })

  it('says what it was used for last, and nothing before it was used, nor of a signature that is none', async () => {
    const { name, keys, sts, iam } = await newUser(node())
    const lastUse = async () => {
      const { UserName, AccessKeyLastUsed } = await root().send(new GetAccessKeyLastUsedCommand({ AccessKeyId: keys.accessKeyId }))
      expect(UserName).toBe(name)
      return AccessKeyLastUsed
    }
    const never = { ServiceName: 'N/A', Region: 'N/A' }
    expect(await lastUse()).toEqual(never)
    const forged = stsOf(node(), { ...keys, secretAccessKey: 'of-somebody-else' })
    await refusal(forged.send(new GetCallerIdentityCommand({})))
    expect(await lastUse()).toEqual(never)

    const fromMs = Date.now()
    await sts.send(new GetCallerIdentityCommand({}))
    const first = await lastUse()
    expect(first).toMatchObject({ ServiceName: 'sts', Region: node().region })
    expect(first?.LastUsedDate?.getTime()).toBeGreaterThanOrEqual(fromMs)
    // A use is one whatever came of it.
    expect(await refusal(iam.send(new ListUsersCommand({})))).toMatchObject({ code: 'AccessDenied' })
    expect(await lastUse()).toMatchObject({ ServiceName: 'iam' })
    const { endpoint } = node()
    const s3 = new S3Client({ endpoint, region: 'eu-west-1', credentials: keys, forcePathStyle: true, maxAttempts: 1 })
    expect(await refusal(s3.send(new ListBucketsCommand({})))).toMatchObject({ code: 'AccessDenied' })
    expect(await lastUse()).toMatchObject({ ServiceName: 's3', Region: 'eu-west-1' })
  })

  it('is none of another user', async () => {
    const { keys } = await newUser(node())
    const other = await newUser(node())
    const foreign = root().send(new DeleteAccessKeyCommand({ UserName: other.name, AccessKeyId: keys.accessKeyId }))
    expect(await refusal(foreign)).toMatchObject({ code: 'NoSuchEntityException' })
  })
})

describe('a group', () => {
  it('takes users in and lets them go, and stays while one is in it', async () => {
    const { name: UserName } = await newUser(node())
    const GroupName = newName('group')
    await root().send(new CreateGroupCommand({ GroupName }))
    await root().send(new AddUserToGroupCommand({ GroupName, UserName }))
    expect((await root().send(new GetGroupCommand({ GroupName }))).Users).toMatchObject([{ UserName }])
    expect((await root().send(new ListGroupsForUserCommand({ UserName }))).Groups).toMatchObject([{ GroupName }])
    expect(await refusal(root().send(new DeleteGroupCommand({ GroupName })))).toMatchObject({ code: 'DeleteConflictException' })
    await root().send(new RemoveUserFromGroupCommand({ GroupName, UserName }))
    await root().send(new DeleteGroupCommand({ GroupName }))
    expect(await refusal(root().send(new GetGroupCommand({ GroupName })))).toMatchObject({ code: 'NoSuchEntityException' })
  })

  it('takes in nobody who is not there', async () => {
    const GroupName = newName('group')
    await root().send(new CreateGroupCommand({ GroupName }))
    expect(await refusal(root().send(new AddUserToGroupCommand({ GroupName, UserName: 'nobody' })))).toMatchObject({
      code: 'NoSuchEntityException',
      message: 'The user with name nobody cannot be found.',
    })
  })
})
