/** Which operations of S3, IAM and STS are served, and which are refused by name: from the tables that the server itself routes by. */
import { actions } from '../../src/iam/query.ts'
import { webIdentityName } from '../../src/iam/web-identity.ts'
import { operations } from '../../src/operations/index.ts'
import type { Operation } from '../../src/s3/define.ts'
import { knownOperations } from '../../src/s3/known-operations.ts'

export function operationsPage(): string {
  const served = new Map(operations.map((operation) => [operation.name, operation]))
  const refused = [...new Set(knownOperations().map(({ name }) => name))].filter((name) => !served.has(name))
  return `${introduction}
## Served: ${operations.length} of S3

${[...served.values()]
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .map(referenceLine)
  .join('\n')}

## Served of IAM and STS

${[...actions, { service: 'sts', name: webIdentityName }]
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .map(({ service, name }) => `- ${service}: ${name}`)
  .join('\n')}

Every other action answers \`NotImplemented\` by its name.

## Refused with 501 NotImplemented: ${refused.length} of S3

${refused.sort().join(', ')}.
`
}

const introduction = `<!-- Made by npm run generate from src/operations, src/iam and src/s3. -->
# Supported operations

IAM and STS are on the S3 port; the service in the signature's scope tells them apart. Behind each operation stands the action that the caller must be
allowed, and the one on a version that the request names; [access](access.md) says what else some of them ask for.
`

function referenceLine({ name, actionOf }: Operation): string {
  const needed = new Set([actionOf({ VersionId: undefined }), actionOf({ VersionId: 'null' })])
  return `- [${name}](https://docs.aws.amazon.com/AmazonS3/latest/API/API_${name}.html): ${[...needed].map((action) => `\`${action}\``).join(', ')}`
}
