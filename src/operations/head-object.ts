/** HeadObject. */
import { operation } from '../s3/define.ts'
import { planRead, readMembers } from './shared/reads.ts'
import { overrideQueries } from './shared/response-overrides.ts'
import { versionAction } from './shared/version-ids.ts'

/**
 * What GetObject would answer, without the bytes.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
export const HeadObject = operation({
  name: 'HeadObject',
  route: 'HEAD /{Bucket}/{Key+}',
  action: versionAction('Get', ''),
  input: readMembers,
  queries: overrideQueries,
  errors: [
    'InvalidArgument',
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
    const { status, headers, lengthBytes } = await planRead(context, input)
    return { status, headers: { ...headers, 'content-length': lengthBytes } }
  },
})
