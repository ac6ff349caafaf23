/** Which operations of S3, IAM and STS are served, and which are refused by name: from the tables that the server itself routes by. */
import { actions } from '../../src/iam/query.ts'
import { webIdentityName } from '../../src/iam/web-identity.ts'
import { operations } from '../../src/operations/index.ts'
import { knownOperations } from '../../src/s3/known-operations.ts'

export function operationsPage(): string {
  const served = new Set(operations.map(({ name }) => name))
  const refused = [...new Set(knownOperations().map(({ name }) => name))].filter((name) => !served.has(name))
  return `${introduction}
## Served: ${operations.length} of S3

${[...served].sort().map(referenceLine).join('\n')}

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

IAM and STS are on the S3 port; the service in the signature's scope tells them apart.
`

function referenceLine(name: string): string {
  return `- [${name}](https://docs.aws.amazon.com/AmazonS3/latest/API/API_${name}.html)`
}
