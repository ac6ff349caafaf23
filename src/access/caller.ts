/** Who is asking. */

export type Caller =
  | { readonly kind: 'anonymous' }
  /** The account's root user, or whoever holds its key. */
  | {
      readonly kind: 'root'
      readonly accountId: string
      /** The account's canonical user id: the owner of what it makes. */
      readonly canonicalId: string
      readonly accessKeyId: string
      readonly arn: string
    }
  /** Another region of this deployment, by the peering credential. It alone may set what a client never may. */
  | { readonly kind: 'peer'; readonly region: string }
