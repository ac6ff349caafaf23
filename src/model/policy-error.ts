/** Why a policy document is not taken. IAM answers `malformed` with MalformedPolicyDocument and `tooLarge` with LimitExceeded. */
type PolicyErrorKind = 'malformed' | 'tooLarge'

export class PolicyError extends Error {
  readonly kind: PolicyErrorKind

  constructor(kind: PolicyErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PolicyError'
    this.kind = kind
  }
}
