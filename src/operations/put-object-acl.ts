/** PutObjectAcl. */
import { parseAclHeaders } from '../model/acl-headers.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { operation } from '../s3/define.ts'
import { headers, objectKey, optionalXmlBody } from '../s3/members.ts'
import { AccessControlPolicyDocument, requestedAcl } from './shared/acl.ts'
import { storedGrants } from './shared/attributes.ts'
import { findObject } from './shared/find.ts'
import { isVersioned, versionAction, versionHeader, versionIdQuery } from './shared/version-ids.ts'

/**
 * Replaces a version's ACL, by a canned name, by grant headers or by a document.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
 */
export const PutObjectAcl = operation({
  name: 'PutObjectAcl',
  route: 'PUT /{Bucket}/{Key+}?acl',
  action: versionAction('Put', 'Acl'),
  input: {
    Key: objectKey(),
    VersionId: versionIdQuery(),
    Supported: headers(refuseUnsupported),
    ByHeaders: headers(parseAclHeaders),
    Policy: optionalXmlBody(AccessControlPolicyDocument),
  },
  errors: [
    'AccessControlListNotSupported',
    'InvalidArgument',
    'InvalidRequest',
    'MalformedACLError',
    'MethodNotAllowed',
    'MissingSecurityHeader',
    'NoSuchKey',
    'NoSuchVersion',
    'NotImplemented',
    'OperationAborted',
    'UnexpectedContent',
    'UnresolvableGrantByEmailAddress',
  ],

  async handle(context, { Key, VersionId, ByHeaders, Policy }) {
    const { bucket, services } = context
    const requested = requestedAcl(ByHeaders, Policy)
    const judged = await findObject(context, { key: Key, versionId: VersionId })
    const grants = await storedGrants(context, { requested, ownerId: judged.record.ownerId })
    const version = await services.objects.setAttribute({ bucket, key: Key, versionId: VersionId, judged }, { name: 'acl', value: grants })
    return { status: 200, headers: isVersioned(bucket) ? versionHeader(version) : {} }
  },
})
