/** Answers what is no HTTP, or comes too slowly: node gives a bare socket, and the client still gets S3's error document. */
import type { Socket } from 'node:net'
import { S3Error } from '../model/errors.ts'
import { newRequestId } from './dispatcher.ts'
import { errorReply } from './errors-out.ts'

/** Node's parser codes: https://github.com/nodejs/llhttp/blob/main/src/llhttp/constants.ts */
function errorOf(code: string | undefined): S3Error {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new S3Error('RequestHeaderSectionTooLarge')
    case 'HPE_INVALID_METHOD':
      return new S3Error('MethodNotAllowed')
    case 'HPE_INVALID_EOF_STATE':
      return new S3Error('IncompleteBody')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new S3Error('RequestTimeout')
    default:
      return new S3Error('BadRequest', { message: 'An error occurred when parsing the HTTP request.' })
  }
}

/** The status line knows no other phrases: what a client reads stands in the document. */
const phrase = 'Error'

/**
 * @param hasBegun whether an answer on this socket has begun: nothing can be said any more
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  { hostId, hasBegun }: { hostId: string; hasBegun: boolean },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable || hasBegun) {
    socket.destroy()
    return
  }
  const ids = { requestId: newRequestId(), hostId }
  const failure = errorOf(error.code)
  const { body } = errorReply(failure, ids)
  const bytes = Buffer.from(String(body))
  const head = [
    `HTTP/1.1 ${failure.status} ${phrase}`,
    'content-type: application/xml',
    `content-length: ${bytes.length}`,
    `x-amz-request-id: ${ids.requestId}`,
    `x-amz-id-2: ${ids.hostId}`,
    `date: ${new Date().toUTCString()}`,
    'server: Farshore',
    'connection: close',
  ]
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes]), () => socket.destroy())
}
