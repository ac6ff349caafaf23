/** What a policy's conditions and variables may ask about a request. Names are compared without case. */
export class PolicyContext {
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(values: Readonly<Record<string, string | readonly string[]>>) {
    this.#values = new Map(Object.entries(values).map(([name, value]) => [name.toLowerCase(), typeof value === 'string' ? [value] : value]))
  }

  /** Undefined: the request has no such key. */
  values(name: string): readonly string[] | undefined {
    return this.#values.get(name.toLowerCase())
  }

  /** Whether a missing value means that the request truly has none, and not that nobody here would know. */
  knows(name: string): boolean {
    const key = name.toLowerCase()
    return this.#values.has(key) || knownKeys.has(key) || knownFamilies.some((family) => key.startsWith(family))
  }
}

// Keys that this server's requests either carry or truly lack (no VPC, no organisation, no second factor). Any other key is unknown.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
const knownKeys: ReadonlySet<string> = new Set(
  [
    'aws:CalledVia',
    'aws:CalledViaFirst',
    'aws:CalledViaLast',
    'aws:CurrentTime',
    'aws:EpochTime',
    'aws:MultiFactorAuthAge',
    'aws:MultiFactorAuthPresent',
    'aws:PrincipalAccount',
    'aws:PrincipalArn',
    'aws:PrincipalIsAWSService',
    'aws:PrincipalOrgID',
    'aws:PrincipalOrgPaths',
    'aws:PrincipalServiceName',
    'aws:PrincipalServiceNamesList',
    'aws:PrincipalType',
    'aws:Referer',
    'aws:RequestedRegion',
    'aws:ResourceAccount',
    'aws:ResourceOrgID',
    'aws:ResourceOrgPaths',
    'aws:SecureTransport',
    'aws:SourceAccount',
    'aws:SourceArn',
    'aws:SourceIdentity',
    'aws:SourceIp',
    'aws:SourceOrgID',
    'aws:SourceOrgPaths',
    'aws:SourceVpc',
    'aws:SourceVpcArn',
    'aws:SourceVpce',
    'aws:TagKeys',
    'aws:TokenIssueTime',
    'aws:UserAgent',
    'aws:UserId',
    'aws:Username',
    'aws:ViaAWSService',
    'aws:VpcSourceIp',
    'iam:AWSServiceName',
    'iam:PassedToService',
    'iam:PermissionsBoundary',
    'iam:PolicyARN',
    'sts:DurationSeconds',
    'sts:ExternalId',
    'sts:SourceIdentity',
    'sts:RoleSessionName',
    's3:DataAccessPointAccount',
    's3:DataAccessPointArn',
    's3:AccessPointNetworkOrigin',
    's3:authType',
    's3:delimiter',
    's3:ResourceAccount',
    's3:max-keys',
    's3:object-lock-legal-hold',
    's3:object-lock-mode',
    's3:object-lock-remaining-retention-days',
    's3:object-lock-retain-until-date',
    's3:prefix',
    's3:signatureAge',
    's3:signatureversion',
    's3:TlsVersion',
    's3:versionid',
    's3:x-amz-acl',
    's3:x-amz-content-sha256',
    's3:x-amz-copy-source',
    's3:x-amz-grant-full-control',
    's3:x-amz-grant-read',
    's3:x-amz-grant-read-acp',
    's3:x-amz-grant-write',
    's3:x-amz-grant-write-acp',
    's3:x-amz-metadata-directive',
    's3:x-amz-object-ownership',
    's3:x-amz-server-side-encryption',
    's3:x-amz-server-side-encryption-aws-kms-key-id',
    's3:x-amz-server-side-encryption-customer-algorithm',
    's3:x-amz-storage-class',
    's3:x-amz-website-redirect-location',
  ].map((key) => key.toLowerCase()),
)
const knownFamilies = [
  'aws:principaltag/',
  'aws:requesttag/',
  'aws:resourcetag/',
  'iam:resourcetag/',
  's3:requestobjecttagkeys',
  's3:requestobjecttag/',
  's3:existingobjecttag/',
]
