/** Errors on their way between the threads of a region: those that mean something to a client or a retry stay what they are. */
import type { ErrorCodec } from '../lib/link.ts'
import { S3Error, type S3ErrorCode } from '../model/errors.ts'
import { VersionIdBehind } from '../model/version.ts'

type Encoded =
  | {
      readonly kind: 's3'
      readonly code: S3ErrorCode
      readonly message: string
      readonly details: S3Error['details']
      readonly headers: S3Error['headers']
    }
  | { readonly kind: 'behind'; readonly newest: ReadonlyMap<string, string> }
  | { readonly kind: 'other'; readonly message: string }

export const threadErrors: ErrorCodec = {
  encode(error): Encoded {
    if (error instanceof S3Error) {
      const { code, message, details, headers } = error
      return { kind: 's3', code, message, details, headers }
    }
    if (error instanceof VersionIdBehind) return { kind: 'behind', newest: error.newest }
    return { kind: 'other', message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  },
  decode(data): unknown {
    const encoded = data as Encoded // what `encode` of the other thread made
    switch (encoded.kind) {
      case 's3':
        return new S3Error(encoded.code, encoded)
      case 'behind':
        return new VersionIdBehind(encoded.newest)
      case 'other':
        return new Error(encoded.message)
      default:
        return encoded satisfies never
    }
  },
}
