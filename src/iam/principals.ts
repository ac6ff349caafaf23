/** Whom trust policies name: looked up when one is put, and shown by unique id once he is gone. */
import { resolvePrincipals } from '../access/principals.ts'
import { S3Error } from '../model/errors.ts'
import type { PolicyDocument } from '../model/policy-document.ts'
import { PolicyError } from '../model/policy-error.ts'
import { type PrincipalIds, shownPolicy } from '../model/policy-principal-ids.ts'
import type { Role } from '../model/role.ts'
import type { ActionCall, Identities } from './action.ts'

/** @throws S3Error MalformedPolicyDocument for a principal that nobody is */
export async function principalsOf({ identities, signal }: ActionCall, policy: PolicyDocument): Promise<PrincipalIds> {
  try {
    return await resolvePrincipals(identities, policy, signal)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new S3Error('MalformedPolicyDocument', { message: error.message, cause: error })
  }
}

/** Roles whose trust policies are as they are shown. */
export async function shownRoles(identities: Identities, roles: readonly Role[]): Promise<readonly Role[]> {
  const arns = new Set(roles.flatMap(({ trustPrincipals = {} }) => Object.keys(trustPrincipals)))
  if (arns.size === 0) return roles
  const standing = await identities.principalIds([...arns])
  return roles.map((role) => {
    const { trustPolicy, trustPrincipals: ids = {} } = role
    return { ...role, trustPolicy: shownPolicy(trustPolicy, { ids, standing }) }
  })
}
