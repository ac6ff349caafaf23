/** Uploads of any size: one PUT up to 16 MiB, else parts, four at once, each tried again when the connection breaks. */
import { type Api, ApiError } from './http.ts'
import { s3Path } from './s3.ts'
import { parseXml, toXml } from './xml.ts'

const partBytes = 16 * 1024 * 1024
/** S3 takes 10,000 parts: a larger file has larger ones. */
const partsMax = 10_000
const atOnce = 4
const attemptsMax = 5
const firstRestMs = 500

export interface UploadTarget {
  readonly region: string
  readonly bucket: string
  readonly key: string
  /** What is fixed at the beginning: class, encryption, metadata, tags. */
  readonly headers: Readonly<Record<string, string>>
}

export interface UploadWatch {
  readonly signal: AbortSignal
  /** Resolves when work may go on: what a pause holds back. */
  readonly gate: () => Promise<void>
  readonly onProgress: (sentBytes: number) => void
}

/** Leaves nothing behind when it is cancelled. @throws ApiError; the signal's reason */
export async function upload(api: Api, file: File, target: UploadTarget, watch: UploadWatch): Promise<void> {
  const headers = { 'content-type': file.type === '' ? 'application/octet-stream' : file.type, ...target.headers }
  if (file.size <= partBytes) {
    await patiently(watch, () => api.call(s3Path(target), { method: 'PUT', headers, body: file, signal: watch.signal }))
    watch.onProgress(file.size)
    return
  }
  const uploadId = await begin(api, target, headers)
  try {
    const etags = await sendParts(api, file, { ...target, uploadId }, watch)
    await complete(api, { ...target, uploadId }, etags)
  } catch (error) {
    await api.call(s3Path({ ...target, query: { uploadId } }), { method: 'DELETE' }).catch(() => undefined)
    throw error
  }
}

async function begin(api: Api, target: UploadTarget, headers: Readonly<Record<string, string>>): Promise<string> {
  const answer = await api.call(s3Path({ ...target, query: { uploads: '' } }), { method: 'POST', headers })
  return parseXml(await answer.text()).text('UploadId') ?? ''
}

async function sendParts(
  api: Api,
  file: File,
  target: UploadTarget & { readonly uploadId: string },
  watch: UploadWatch,
): Promise<readonly string[]> {
  const size = Math.max(partBytes, Math.ceil(file.size / partsMax))
  const count = Math.ceil(file.size / size)
  const etags = new Array<string>(count)
  let next = 0
  let sent = 0
  const send = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      await watch.gate()
      const body = file.slice(index * size, (index + 1) * size)
      const query = { partNumber: String(index + 1), uploadId: target.uploadId }
      const answer = await patiently(watch, () => api.call(s3Path({ ...target, query }), { method: 'PUT', body, signal: watch.signal }))
      etags[index] = answer.headers.get('etag') ?? ''
      sent += body.size
      watch.onProgress(sent)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, send))
  return etags
}

async function complete(api: Api, target: UploadTarget & { readonly uploadId: string }, etags: readonly string[]): Promise<void> {
  const Part = etags.map((ETag, index) => ({ PartNumber: index + 1, ETag }))
  const body = toXml('CompleteMultipartUpload', { Part })
  const answer = await api.call(s3Path({ ...target, query: { uploadId: target.uploadId } }), { method: 'POST', body })
  // S3 may find out after it has begun to answer.
  const document = parseXml(await answer.text())
  if (document.name !== 'Error') return
  throw new ApiError({
    status: 500,
    code: document.text('Code') ?? 'Error',
    message: document.text('Message') ?? 'The upload was refused.',
  })
}

/** Again after a broken connection or a busy server; a refusal is one. */
async function patiently<T>({ signal, gate }: UploadWatch, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const mayPass = error instanceof ApiError && (error.status === 0 || error.status >= 500)
      if (!mayPass || attempt === attemptsMax || signal.aborted) throw error
      await new Promise((resolve) => setTimeout(resolve, firstRestMs * 2 ** attempt))
      await gate()
    }
  }
}
