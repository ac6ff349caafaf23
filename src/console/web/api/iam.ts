/** IAM as the screens speak to it. Identities are the same in every region: the console's own is asked. */
import type { Api } from './http.ts'
import { parseXml, type XmlElement } from './xml.ts'

const version = '2010-05-08'

/** @returns the `…Result` of the answer @throws ApiError */
export async function iam(
  api: Api,
  region: string,
  { Action, ...parameters }: Readonly<Record<string, string | undefined>> & { readonly Action: string },
): Promise<XmlElement> {
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  const body = new URLSearchParams([['Action', Action], ['Version', version], ...given])
  const response = await api.call(`/api/iam/${encodeURIComponent(region)}`, { method: 'POST', body })
  const answer = parseXml(await response.text())
  return answer.child(`${Action}Result`) ?? answer
}

export interface RoleEntry {
  readonly name: string
  readonly arn: string
  /** JSON. */
  readonly trust: string
}

/** @throws ApiError */
export async function listRoles(api: Api, region: string): Promise<readonly RoleEntry[]> {
  const found: RoleEntry[] = []
  let marker: string | undefined
  do {
    const page: XmlElement = await iam(api, region, { Action: 'ListRoles', Marker: marker })
    for (const role of page.child('Roles')?.all('member') ?? []) {
      found.push({
        name: role.text('RoleName') ?? '',
        arn: role.text('Arn') ?? '',
        trust: decodeURIComponent(role.text('AssumeRolePolicyDocument') ?? ''),
      })
    }
    marker = page.text('IsTruncated') === 'true' ? page.text('Marker') : undefined
  } while (marker !== undefined)
  return found
}

/** Whether S3 may take the role: what a rule needs. */
export function isForReplication({ trust }: RoleEntry): boolean {
  return trust.includes('s3.amazonaws.com')
}

/** Makes a role with one inline policy. @returns its ARN @throws ApiError */
export async function createRole(
  api: Api,
  region: string,
  of: { readonly name: string; readonly trust: string; readonly policyName: string; readonly policy: string },
): Promise<string> {
  const made = await iam(api, region, { Action: 'CreateRole', RoleName: of.name, AssumeRolePolicyDocument: of.trust })
  await iam(api, region, { Action: 'PutRolePolicy', RoleName: of.name, PolicyName: of.policyName, PolicyDocument: of.policy })
  return made.child('Role')?.text('Arn') ?? ''
}
