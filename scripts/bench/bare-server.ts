/**
 * The least that a Node server can do for the same requests: no signature, no disk, no checks. What it costs is what HTTP over the
 * loopback costs. Prints its port; ends with its standard input.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { largeBytes, listKeys, mediumBytes, payload, smallBytes } from './payload.ts'

const nothing = Buffer.alloc(0)
const small = payload(smallBytes)
const medium = payload(mediumBytes)
const large = payload(largeBytes)
const listing = Buffer.from(
  `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>${Array.from({ length: listKeys }, entry).join('')}</ListBucketResult>`,
)
const versions = Buffer.from(listing.toString().replaceAll('Contents>', 'Version>'))

function entry(_: unknown, index: number): string {
  const key = `seed/${String(index).padStart(6, '0')}`
  return (
    `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;${'0'.repeat(32)}&quot;</ETag>` +
    `<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>${smallBytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`
  )
}

const server = createServer((request, response) => {
  request.resume()
  request.once('end', () => answer(request, response))
})

function answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
  const { status, body } = resultOf(method, url)
  // Node leaves the body of an answer to HEAD out.
  response.writeHead(status, status === 204 ? {} : { 'content-length': body.length }).end(body)
}

function resultOf(method: string | undefined, url: string): { readonly status: number; readonly body: Buffer } {
  if (method === 'PUT' || method === 'POST') return { status: 200, body: nothing }
  if (method === 'DELETE') return { status: 204, body: nothing }
  if (url.includes('versions=')) return { status: 200, body: versions }
  if (url.includes('?')) return { status: 200, body: listing }
  if (url.includes('/medium/')) return { status: 200, body: medium }
  return { status: 200, body: url.includes('/large/') ? large : small }
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  process.stdout.write(`${address.port}\n`)
})
process.stdin.resume().once('end', () => {
  server.close()
  server.closeAllConnections()
})
