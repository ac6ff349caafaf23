/** Why a policy document is not taken. IAM answers `malformed` with MalformedPolicyDocument and `tooLarge` with LimitExceeded. */
type PolicyErrorKind = 'malformed' | 'tooLarge'

export class PolicyError extends Error {
  readonly kind: PolicyErrorKind
  readonly #reason: string
  readonly #place: string

  /** @param place  where in the document, from the outside in: `Statement[0].Condition` */
  constructor(kind: PolicyErrorKind, reason: string, { place = '', ...options }: ErrorOptions & { readonly place?: string } = {}) {
    super(place === '' ? reason : `${reason} (${place})`, options)
    this.name = 'PolicyError'
    this.kind = kind
    this.#reason = reason
    this.#place = place
  }

  /** The same fault, seen from one step further out. */
  within(step: string): PolicyError {
    const place = this.#place === '' ? step : `${step}.${this.#place}`
    return new PolicyError(this.kind, this.#reason, { place, cause: this.cause })
  }
}

/** Does what may find a fault in a policy, and lets the fault say that it is in this place. */
export function inPlace<T>(step: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof PolicyError ? error.within(step) : error
  }
}
