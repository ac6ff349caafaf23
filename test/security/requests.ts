/** Requests that a test has changed, over connections of their own. */
import { request as httpRequest } from 'node:http'
import { ListObjectsV2Command, ListObjectVersionsCommand } from '@aws-sdk/client-s3'
import type { Made } from '../s3/auth/random-requests.ts'
import { accessKeyId, secretAccessKey, type TestRegion } from '../support/region.ts'

export interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly text: string
}

export function send(
  { port }: Pick<TestRegion, 'port'>,
  { method, target, headers, body }: Omit<Made, 'mode' | 'via' | 'content'>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { ...Object.fromEntries(headers), 'content-length': String(body.length) }
    const outgoing = httpRequest({ host: '127.0.0.1', port, method, path: target, headers: all, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, code: /<Code>(\w+)</.exec(text)?.[1], text }))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export async function keysIn({ client }: Pick<TestRegion, 'client'>, Bucket: string): Promise<readonly (string | undefined)[]> {
  const current = await client.send(new ListObjectsV2Command({ Bucket }))
  const versions = await client.send(new ListObjectVersionsCommand({ Bucket }))
  return [...(current.Contents ?? []), ...(versions.Versions ?? []), ...(versions.DeleteMarkers ?? [])].map(({ Key }) => Key)
}

export function signingFor({ port }: Pick<TestRegion, 'port'>, bucket: string) {
  return { accessKeyId, secretAccessKey, host: `127.0.0.1:${port}`, bucket, date: new Date() }
}
