import { createHmac } from 'node:crypto'

interface SigningKeyOf {
  readonly secretAccessKey: string
  /** yyyymmdd */
  readonly date: string
  readonly region: string
  readonly service: string
}

/** A key is good for one day, region and service; a thousand covers some hundreds of active access keys in two regions. */
const defaultLimit = 1000

/**
 * Derives SigV4 signing keys and keeps the most recently used ones: a chain of four HMACs a day, not a request.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export class SigningKeys {
  readonly #limit: number
  /** In order of last use, oldest first. */
  readonly #keys = new Map<string, Buffer>()

  constructor(limit: number = defaultLimit) {
    this.#limit = limit
  }

  get size(): number {
    return this.#keys.size
  }

  get(of: SigningKeyOf): Buffer {
    // U+0000 cannot stand in any of the parts, so that two different tuples never make one name.
    const name = `${of.date}\0${of.region}\0${of.service}\0${of.secretAccessKey}`
    const known = this.#keys.get(name)
    const key = known ?? derive(of)
    if (known !== undefined) this.#keys.delete(name)
    this.#keys.set(name, key)
    if (this.#keys.size > this.#limit) {
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest)
        break
      }
    }
    return key
  }
}

function derive(of: SigningKeyOf): Buffer {
  const date = hmac(`AWS4${of.secretAccessKey}`, of.date)
  return hmac(hmac(hmac(date, of.region), of.service), 'aws4_request')
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data, 'utf8').digest()
}
