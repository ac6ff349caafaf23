/** A question to the admin API that has a body, signed by the root. */
import aws4 from 'aws4'
import { type PairRegion, rootKey } from './regions-pair.ts'

export async function adminPost({ adminUrl }: PairRegion, path: string, body: object): Promise<{ status: number; text: string }> {
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/json' }
  const request = { service: 'farshore', region: 'us-east-1', method: 'POST', host: new URL(adminUrl).host, path, headers, body: text }
  const signed = aws4.sign(request, rootKey)
  const answer = await fetch(adminUrl + path, { method: 'POST', headers: signed.headers as Record<string, string>, body: text }) // aws4 writes text
  return { status: answer.status, text: await answer.text() }
}
