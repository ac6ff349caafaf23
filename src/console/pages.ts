/** The application's files, as they were built. */
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { type Exchange, sendStream } from './exchange.ts'
import { answerHeaders, assetHeaders, pageHeaders } from './headers.ts'
import { Refusal } from './refusal.ts'

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.map': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
}

/** Names as a build makes them: no segment begins with a dot, and nothing is escaped. */
const assetName = /^[\w-][\w.-]*(\/[\w-][\w.-]*){0,4}$/
const nonceBytes = 18
const noncePlace = /__NONCE__/g
const notBuilt = 'The web console is not built. In a clone of Farshore: npm run build. The admin API answers here all the same.\n'

/** index.html, whatever the address: the application finds its own way. */
export async function answerPage({ request, response }: Exchange, folder: string): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw onlyRead()
  const html = await readFile(join(folder, 'index.html'), 'utf8').catch(() => undefined)
  const nonce = randomBytes(nonceBytes).toString('base64')
  const [text, headers] =
    html === undefined
      ? [notBuilt, { ...answerHeaders(), 'content-type': 'text/plain; charset=utf-8' }]
      : [html.replace(noncePlace, nonce), { ...pageHeaders(nonce), 'content-type': 'text/html; charset=utf-8' }]
  response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(text) }).end(request.method === 'HEAD' ? undefined : text)
}

/** @throws Refusal NotFound, also for whatever a name might climb to */
export async function answerAsset(exchange: Exchange, folder: string, name: string): Promise<void> {
  const { method } = exchange.request
  if (method !== 'GET' && method !== 'HEAD') throw onlyRead()
  const type = types[extname(name)]
  if (!assetName.test(name) || type === undefined) throw notFound()
  const root = join(folder, 'assets')
  const file = await insideOf(root, join(root, name))
  const size = file === undefined ? undefined : (await stat(file)).size
  if (file === undefined || size === undefined) throw notFound()
  const headers = { ...assetHeaders(), 'content-type': type, 'content-length': String(size) }
  if (method === 'HEAD') exchange.response.writeHead(200, headers).end()
  else await sendStream(exchange, { status: 200, headers, body: createReadStream(file, { end: Math.max(0, size - 1) }) })
}

/** A link in the folder leads nowhere else. */
async function insideOf(root: string, path: string): Promise<string | undefined> {
  try {
    const [top, file] = await Promise.all([realpath(root), realpath(path)])
    return file.startsWith(top + sep) && (await stat(file)).isFile() ? file : undefined
  } catch {
    return undefined
  }
}

function notFound(): Refusal {
  return new Refusal(404, 'NotFound', 'There is no such file.')
}

function onlyRead(): Refusal {
  return new Refusal(405, 'MethodNotAllowed', 'This address is for reading.', { allow: 'GET, HEAD' })
}
