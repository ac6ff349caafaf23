/** Why a request to another server came to nothing, in words for people. */

/** @param cause  as undici, or node's own sockets, threw it */
export function networkFault(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  switch (code) {
    case 'ECONNREFUSED':
      return 'nobody listens at its endpoint'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name of its endpoint has no address'
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'it does not take the connection'
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'it does not answer in time'
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'the connection broke'
    default:
      return cause.message === '' ? code || cause.name : cause.message
  }
}
