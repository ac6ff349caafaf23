/** Who somebody is: the region is asked with the person's own key, so that nobody is believed here who is not believed there. */
import { z } from 'zod'
import type { Exchange } from './exchange.ts'
import type { Answer, Forwarder } from './forward.ts'
import { readRefusal } from './forward.ts'
import type { SignInLinks } from './links.ts'
import { Refusal } from './refusal.ts'
import type { ConsoleRegions } from './regions.ts'
import type { ConsoleCaller } from './sessions.ts'
import type { Credentials } from './sign.ts'

export interface SignInParts {
  readonly forwarder: Forwarder
  readonly regions: ConsoleRegions
  readonly links: SignInLinks
  /** The root key of the first account, for whom links are made. */
  readonly operator: { readonly accountId: string; readonly credentials: Credentials }
}

/** An STS token is long: it carries what the session may do. */
const tokenMaxChars = 16 * 1024
const answerMaxBytes = 64 * 1024
const formType = 'application/x-www-form-urlencoded'
const whoAmI = Buffer.from('Action=GetCallerIdentity&Version=2011-06-15')

// Of what goes into headers: the shape of an id, and no byte that ends a line.
const plain = /^[\x21-\x7e]+$/
const signInSchema = z.union([
  z.strictObject({ link: z.string().regex(plain).max(100) }),
  z.strictObject({
    accessKeyId: z
      .string()
      .regex(/^[\w.-]+$/)
      .max(128),
    secretAccessKey: z.string().min(1).max(512),
    sessionToken: z.string().regex(plain).max(tokenMaxChars).optional(),
  }),
])

export type SignIn = z.output<typeof signInSchema>

/** @throws Refusal InvalidArgument, which shows nothing of what was sent: it may be a secret */
export function readSignIn(body: unknown): SignIn {
  const parsed = signInSchema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new Refusal(400, 'InvalidArgument', 'Give accessKeyId and secretAccessKey, with a sessionToken where the key has one, or a link.')
}

/** @throws Refusal AccessDenied (the link) */
export function credentialsOf(signIn: SignIn, { links, operator }: SignInParts): Credentials {
  if (!('link' in signIn)) {
    const { accessKeyId, secretAccessKey, sessionToken } = signIn
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
  }
  if (links.use(signIn.link)) return operator.credentials
  throw new Refusal(
    403,
    'InvalidLink',
    'This link was used before, is older than ten minutes, or is of an earlier start. Sign in with an access key.',
  )
}

/** @throws Refusal with the region's own code when it does not know the key; RegionUnreachable */
export async function callerOf(
  credentials: Credentials,
  { forwarder, regions, operator }: SignInParts,
  signal: Exchange['signal'],
): Promise<ConsoleCaller> {
  const question = {
    target: regions.s3(regions.self),
    service: 'sts',
    method: 'POST',
    rawPath: '/',
    rawQuery: '',
    headers: { 'content-type': formType },
    body: whoAmI,
  } as const
  const text = await forwarder.ask(question, credentials, signal, readIdentity)
  const [accountId, arn, userId] = ['Account', 'Arn', 'UserId'].map((name) => elementOf(text, name))
  if (accountId === undefined || arn === undefined || userId === undefined) throw strange()
  return { accountId, arn, userId, isOperator: accountId === operator.accountId && arn === `arn:aws:iam::${accountId}:root` }
}

async function readIdentity(answer: Answer): Promise<string> {
  const refusal = await readRefusal(answer)
  if (refusal !== undefined) {
    const text = refusal.bytes.toString('utf8')
    const code = elementOf(text, 'Code') ?? 'AccessDenied'
    // NOTE: of a wrong secret the region shows what it hashed; the message alone goes on.
    throw new Refusal(403, code, elementOf(text, 'Message') ?? 'The region refuses this key.')
  }
  if (answer.status !== 200) throw strange()
  let text = ''
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    text += piece.toString('utf8')
    if (text.length > answerMaxBytes) throw strange()
  }
  return text
}

function elementOf(xml: string, name: string): string | undefined {
  const [, text] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml) ?? []
  return text?.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => entities[entity] ?? '')
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function strange(): Refusal {
  return new Refusal(502, 'RegionUnreachable', 'The region did not say whose key this is. Is it starting?')
}
