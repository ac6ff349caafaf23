/** Checksums on the wire: what a request claims, and how a stored one is told in headers and in XML. */
import {
  type ChecksumAlgorithm,
  type ChecksumClaim,
  checksumAlgorithms,
  checksumHeader,
  parseChecksumHeaders,
  parseChecksumValue,
} from '../../model/checksums.ts'
import { type Headers, headerValue } from '../../model/headers.ts'
import type { StoredChecksum } from '../../model/version.ts'
import type { ContentClaims } from '../../objects/content.ts'
import type { Body } from '../../s3/auth/body.ts'
import { headers, type Member } from '../../s3/members.ts'
import type { ReplyHeaders } from '../../s3/reply.ts'
import { optional, text } from '../../s3/xml/shapes.ts'

type Checksum = Pick<StoredChecksum, 'algorithm' | 'value'>

/** What the request promises about its body. */
export function contentClaims(): Member<ContentClaims> {
  return headers((all) => ({ contentMd5: headerValue(all, 'content-md5'), checksum: bodyClaim(all) }))
}

function bodyClaim(all: Headers): ChecksumClaim | undefined {
  const announced = headerValue(all, 'x-amz-trailer')?.split(',') ?? []
  return parseChecksumHeaders(
    all,
    announced.map((name) => name.trim().toLowerCase()),
  )
}

/** What a body that was read to its end, and kept its promise, had promised. */
export function claimedChecksum({ checksum: claim }: ContentClaims, body: Body): Checksum | undefined {
  if (claim === undefined) return undefined
  const { algorithm } = claim
  const value = claim.from === 'header' ? claim.value : body.trailers()[checksumHeader(algorithm)]
  return value === undefined ? undefined : { algorithm, value }
}

/** The checksum of a whole object, which CompleteMultipartUpload is given in its headers; a COMPOSITE one may end in `-N`. */
export function objectChecksum(): Member<Checksum | undefined> {
  return headers((all) => {
    const plain: Record<string, string> = {}
    let suffix = ''
    for (const algorithm of checksumAlgorithms) {
      const value = headerValue(all, checksumHeader(algorithm))
      if (value === undefined) continue
      const [digest = '', count] = value.split(/(-[1-9][0-9]{0,4})$/)
      plain[checksumHeader(algorithm)] = digest
      suffix = count ?? ''
    }
    const claim = parseChecksumHeaders(plain)
    return claim?.from === 'header' ? { algorithm: claim.algorithm, value: claim.value + suffix } : undefined
  })
}

export function checksumHeaders(checksum: Checksum | undefined): ReplyHeaders {
  return checksum === undefined ? {} : { [checksumHeader(checksum.algorithm)]: checksum.value }
}

export function typedChecksumHeaders(checksum: StoredChecksum | undefined): ReplyHeaders {
  return checksum === undefined ? {} : { ...checksumHeaders(checksum), 'x-amz-checksum-type': checksum.type }
}

/** `<ChecksumCRC32>` */
export function checksumElement(checksum: Checksum | undefined): Readonly<Record<string, string>> {
  return checksum === undefined ? {} : { [elementName(checksum.algorithm)]: checksum.value }
}

export function typedChecksumElements(checksum: StoredChecksum | undefined): Readonly<Record<string, string>> {
  return checksum === undefined ? {} : { ...checksumElement(checksum), ChecksumType: checksum.type }
}

/** The checksum elements that `<Part>` of a request may hold. */
export const checksumFields = {
  ChecksumCRC32: optional(text()),
  ChecksumCRC32C: optional(text()),
  ChecksumCRC64NVME: optional(text()),
  ChecksumSHA1: optional(text()),
  ChecksumSHA256: optional(text()),
}

/** @throws S3Error InvalidRequest for a value of the wrong form */
export function givenChecksums(fields: Readonly<Record<keyof typeof checksumFields, string | undefined>>): readonly Checksum[] {
  return checksumAlgorithms.flatMap((algorithm) => {
    const value = fields[elementName(algorithm)]
    return value === undefined ? [] : [{ algorithm, value: parseChecksumValue(algorithm, value) }]
  })
}

function elementName<A extends ChecksumAlgorithm>(algorithm: A): `Checksum${A}` {
  return `Checksum${algorithm}`
}
