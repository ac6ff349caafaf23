/**
 * Who a bucket's policy speaks of: the Principal or NotPrincipal of a statement, and whether it names somebody.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
import type { Principals, StatementJson } from './policy-document.ts'
import { asRecord, asTexts, shown } from './policy-elements.ts'
import { inPlace, PolicyError } from './policy-error.ts'

/** Somebody, as principals name them; nothing of it for the anonymous. */
export interface Who {
  readonly accountId?: string
  readonly canonicalId?: string
  /** Of the user, the session or the root itself. */
  readonly arn?: string
  /** Of a session: the role, user or root that it acts as. */
  readonly issuerArn?: string
  /** The unique id of the user or the role that is behind the ARNs: one made anew under the same name has another. */
  readonly id?: string
  /** For which an AWS service acts: `s3.amazonaws.com`. */
  readonly service?: string
}

/**
 * How a principal names somebody, from the vaguest to the nearest. `account`: leaves it to the account, which must allow it too. `issuer`: the role
 * behind a session. `itself`: the user or session by its own ARN.
 */
export type Naming = 'account' | 'everyone' | 'issuer' | 'itself'

export const namings: readonly Naming[] = ['account', 'everyone', 'issuer', 'itself']

/** @throws PolicyError malformed */
export function parsePrincipals(statement: StatementJson): Principals {
  const { Principal, NotPrincipal, Effect } = statement
  const isNegated = NotPrincipal !== undefined
  return inPlace(isNegated ? 'NotPrincipal' : 'Principal', () => {
    if (isNegated && Principal !== undefined) throw new PolicyError('malformed', 'A statement has Principal or NotPrincipal, not both')
    // Whoever is not named would be allowed: the anonymous too.
    if (isNegated && Effect === 'Allow') throw new PolicyError('malformed', 'Allow with NotPrincipal is not supported')
    const value = Principal ?? NotPrincipal
    if (value === undefined) throw new PolicyError('malformed', 'Missing required field Principal')
    return { ...(isNegated && { negated: true as const }), ...readPrincipals(value) }
  })
}

function readPrincipals(value: unknown): Principals {
  if (value === '*') return { everyone: true, services: [], aws: [], federated: [] }
  if (typeof value === 'string') {
    const why = `${shown(value)} is not "*"; others are named by kind, as in {"AWS":"111122223333"}`
    throw new PolicyError('malformed', `Invalid principal in policy: ${why}`)
  }
  const record = asRecord(value, ['AWS', 'Service', 'Federated', 'CanonicalUser'])
  const services = checked('Service', record.Service, /^[a-z0-9-]+(\.[a-z0-9-]+)+$/)
  const aws = checked(
    'AWS',
    record.AWS,
    /^(\*|[0-9]{12}|arn:aws:(iam|sts)::[0-9]{12}:(root|(user|role|assumed-role|federated-user)\/[^\s*?$]+))$/,
  )
  const canonicalUsers = checked('CanonicalUser', record.CanonicalUser, /^[0-9a-f]{64}$/)
  // Of providers of identities a caller here carries no mark: such a principal is nobody, and is checked for its form only.
  const federated = checked('Federated', record.Federated, /^[\x21-\x7e]{1,512}$/)
  if (services.length + aws.length + canonicalUsers.length + federated.length === 0) {
    throw new PolicyError('malformed', 'Invalid principal in policy: nobody is named')
  }
  return { everyone: aws.includes('*'), services, aws, federated, canonicalUsers }
}

function checked(type: string, value: unknown, form: RegExp): readonly string[] {
  const texts = asTexts(value ?? [])
  const wrong = texts.find((text) => !form.test(text))
  if (wrong !== undefined) throw invalidPrincipal(type, wrong)
  return texts
}

function invalidPrincipal(type: string, value: string): PolicyError {
  return new PolicyError('malformed', `Invalid principal in policy: "${type}":"${value.slice(0, 256)}"`)
}

/** The nearest way in which a Principal names somebody; undefined when it does not. */
export function names(principals: Principals, who: Who): Naming | undefined {
  const { arn, issuerArn, id } = who
  if (who.service !== undefined && principals.services.includes(who.service)) return 'itself'
  if (arn !== undefined && !isRoot(arn) && namesArn(principals, arn, id)) return 'itself'
  if (issuerArn !== undefined && !isRoot(issuerArn) && namesArn(principals, issuerArn, id)) return 'issuer'
  if (principals.everyone) return 'everyone'
  return namesAccount(principals, who) ? 'account' : undefined
}

/** Whether a NotPrincipal leaves somebody out: it must name the account, and every link from there to the caller. */
export function spares(principals: Principals, who: Who): boolean {
  if (principals.everyone) return true
  if (who.service !== undefined) return principals.services.includes(who.service)
  const { arn, issuerArn, id } = who
  if (arn === undefined || !namesAccount(principals, who)) return false
  return [arn, issuerArn].every((link) => link === undefined || isRoot(link) || namesArn(principals, link, id))
}

/** @param id  of whoever bears the ARN now */
export function namesArn({ aws, ids }: Principals, arn: string, id: string | undefined): boolean {
  if (!aws.includes(arn)) return false
  const meant = ids?.[arn]
  return meant === undefined || meant === id
}

function namesAccount({ aws, canonicalUsers = [] }: Principals, { accountId, canonicalId }: Who): boolean {
  if (canonicalId !== undefined && canonicalUsers.includes(canonicalId)) return true
  return accountId !== undefined && (aws.includes(accountId) || aws.includes(`arn:aws:iam::${accountId}:root`))
}

function isRoot(arn: string): boolean {
  return arn.endsWith(':root')
}
