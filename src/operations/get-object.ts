/** GetObject. */
import { type OperationContext, operation } from '../s3/define.ts'
import { type Reply, stream } from '../s3/reply.ts'
import { untilOpened } from './shared/find.ts'
import { planRead, readMembers } from './shared/reads.ts'
import { overrideQueries } from './shared/response-overrides.ts'
import { versionAction } from './shared/version-ids.ts'

/**
 * A version, or a range or part of it, as it stands now.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export const GetObject = operation({
  name: 'GetObject',
  route: 'GET /{Bucket}/{Key+}',
  action: versionAction('Get', ''),
  input: readMembers,
  queries: overrideQueries,
  errors: [
    'InvalidArgument',
    'InvalidObjectState',
    'InvalidPart',
    'InvalidPartNumber',
    'InvalidRange',
    'InvalidRequest',
    'MethodNotAllowed',
    'NoSuchKey',
    'NoSuchVersion',
    'NotModified',
    'PreconditionFailed',
  ],

  async handle(context, input) {
    return await untilOpened(() => read(context, input))
  },
})

async function read(context: OperationContext, input: Parameters<typeof planRead>[1]): Promise<Reply> {
  const { version, range, status, headers, lengthBytes } = await planRead(context, input)
  // The writer is done with a piece before it asks for the next one.
  const content = await context.services.objects.open(version, { range, signal: context.signal, reuseBuffers: true })
  return { status, headers, body: Buffer.isBuffer(content) ? content : stream(lengthBytes, content) }
}
