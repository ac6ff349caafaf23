/** A start that cannot be, because of what the operator wrote or the machine refuses. The message is whole sentences for people; there is no stack to show. */
export class ConfigError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ConfigError'
  }
}
