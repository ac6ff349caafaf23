/** Requests to the console's server, which signs them for the session. What is refused becomes an ApiError that says what, where and why. */

export class ApiError extends Error {
  /** 0: nobody answered. */
  readonly status: number
  readonly code: string
  /** For a report: which request it was. */
  readonly requestId: string | undefined

  constructor(of: { readonly status: number; readonly code: string; readonly message: string; readonly requestId?: string | undefined }) {
    super(of.message)
    this.name = 'ApiError'
    this.status = of.status
    this.code = of.code
    this.requestId = of.requestId
  }
}

/** Told when the session is over, whatever request found out. */
export const sessionEnded = new EventTarget()

export interface CallOptions {
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: BodyInit
  readonly signal?: AbortSignal
}

/** The token of the session, sent with everything that changes something. */
interface Csrf {
  token: string | undefined
}

export class Api {
  readonly #csrf: Csrf = { token: undefined }

  useToken(token: string | undefined): void {
    this.#csrf.token = token
  }

  /** @throws ApiError */
  async call(path: string, { method = 'GET', headers = {}, body, signal }: CallOptions = {}): Promise<Response> {
    const { token } = this.#csrf
    const isSafe = method === 'GET' || method === 'HEAD'
    const response = await fetch(path, {
      method,
      headers: { ...headers, ...(isSafe || token === undefined ? {} : { 'x-csrf-token': token }) },
      redirect: 'manual',
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((error: unknown) => {
      if (signal?.aborted) throw error
      throw new ApiError({ status: 0, code: 'NoAnswer', message: 'The console’s server does not answer. Is the region running?' })
    })
    if (response.ok) return response
    const error = await errorOf(response)
    if (response.status === 401) sessionEnded.dispatchEvent(new Event('end'))
    throw error
  }

  async json<T>(path: string, options: CallOptions = {}): Promise<T> {
    const response = await this.call(path, options)
    return (await response.json()) as T // the server's own types
  }
}

/** S3 and IAM answer in XML, the console's server in JSON, HEAD without a body. */
async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  const requestId = response.headers.get('x-amz-request-id') ?? undefined
  const base = { status: response.status, requestId }
  if (text.startsWith('{')) {
    const { code = 'Error', message = text } = JSON.parse(text) as { code?: string; message?: string } // of the server
    return new ApiError({ ...base, code, message })
  }
  const document = new DOMParser().parseFromString(text, 'text/xml')
  const code = document.querySelector('Code')?.textContent ?? `HTTP ${response.status}`
  const message = document.querySelector('Message')?.textContent ?? response.statusText
  return new ApiError({ ...base, code, message })
}
