/** What an operation of S3 is: data and one function. Routing, types, access, documentation and tests all come from this value. */
import type { Caller } from '../access/caller.ts'
import type { Bucket } from '../model/bucket.ts'
import type { S3ErrorCode } from '../model/errors.ts'
import type { Retention } from '../model/object-lock.ts'
import type { Tag } from '../model/tags.ts'
import type { ObjectVersion } from '../model/version.ts'
import type { Body } from './auth/body.ts'
import type { Confirm } from './gate.ts'
import type { BodyMember, HeadInputOf, InputOf, Member, Members, RequestParts } from './members.ts'
import type { Reply, SlowReply } from './reply.ts'
import { parseRoute, type Route } from './route.ts'
import type { Services } from './services.ts'

/** What an action is about: nothing more for the account's list of buckets, a bucket, or an object in it. */
export interface Target {
  /** undefined for actions on the service, and on a bucket that does not exist yet. */
  readonly bucket: Bucket | undefined
  readonly bucketName: string | undefined
  readonly key: string | undefined
  /** Which version of the object; absent: the current one. */
  readonly versionId?: string | undefined
  /** The object is what this request writes: whatever the key holds now has no say. */
  readonly isNew?: boolean
  /** That are to be put on it; `inBody`: not read yet, and asked about again when they are. */
  readonly tags?: readonly Tag[] | 'inBody'
  /** That is to be put on it; absent: the request's headers say it. */
  readonly lock?: { readonly retention?: Retention | null; readonly legalHold?: boolean }
  /** Of what is neither bucket nor object: a role that is passed. */
  readonly arn?: string
}

export interface OperationContext {
  readonly caller: Caller
  /** The bucket that the request names, read once. NOTE: reading it throws in an operation on the service or on a new bucket. */
  readonly bucket: Bucket
  readonly services: Services
  /** Aborted when the client goes away or the server's patience ends. */
  readonly signal: AbortSignal
  readonly requestId: string
  readonly nowMs: number
  /** Whether the request came over TLS, by this server's own eyes. */
  readonly secure: boolean
  /** The name in the request's Host header, for answers that hold an address. */
  readonly host: string
  /** The region that the signature was made for; undefined without a signature. Any region of the deployment is accepted. */
  readonly signedRegion: string | undefined
  /**
   * The same check that `action` got, for whatever else an operation touches: the source of a copy, an ACL beside a PUT.
   * @returns to be called with the version that is found, if there is a function
   * @throws S3Error AccessDenied
   */
  authorize(action: string, target: Target): Promise<Confirm | undefined>
  /** To be told the version that the request names, before anything of it is told to the caller. @throws S3Error AccessDenied */
  confirm(version: ObjectVersion): void
  /**
   * Another bucket that the request names, read as `bucket` was.
   * @param expectedOwner x-amz-source-expected-bucket-owner, where the operation has it; for `bucket` itself it has been checked
   * @throws S3Error InvalidBucketName | NoSuchBucket | PermanentRedirect | AccessDenied
   */
  resolveBucket(name: string, expectedOwner?: string): Promise<Bucket>
}

export interface OperationDefinition<M extends Members> {
  /** S3's name of the operation. */
  readonly name: string
  /**
   * Method, path and what tells it from others of the same path: query keys (with a value, if only that one) and, in brackets, headers.
   * @example 'PUT /{Bucket}/{Key+}?partNumber&uploadId [x-amz-copy-source]'
   */
  readonly route: string
  /** The IAM action that the caller must be allowed on the target. */
  readonly action: string | ((input: HeadInputOf<M>) => string)
  /** The operation writes the object that its path names: an object that is there already has no say in it. */
  readonly writes?: true
  /** The action is asked about by `handle` alone, for each of many things. */
  readonly asksItself?: true
  /** Its tags stand in the body: whoever is refused for them is refused by `handle`, which must authorize the action anew. */
  readonly tagsInBody?: true
  /** `new`: the bucket that the path names need not exist. */
  readonly bucket?: 'existing' | 'new'
  readonly input: M
  /** Query parameters that a member reads by a rule of its own; those of `query(name)` are known. */
  readonly queries?: readonly string[]
  /** `stream`: the operation reads the body by itself. `form`: so it does with a form's file, whose fields are its headers. Otherwise it is read by a body member, or not at all. */
  readonly body?: 'stream' | 'form'
  /** Codes that the operation itself may answer, beside those that every request may meet. */
  readonly errors: readonly S3ErrorCode[]
  handle(context: OperationContext, input: InputOf<M>, body: Body): Promise<Reply | SlowReply>
}

/** An operation as the router and the pipeline use it, whatever its input is. */
export interface Operation {
  readonly name: string
  readonly route: Route
  readonly needsBucket: boolean
  readonly body: 'none' | 'document' | 'stream' | 'form'
  readonly errors: readonly S3ErrorCode[]
  /** Query parameters that a member reads. */
  readonly queryNames: ReadonlySet<string>
  /** The member that takes the body as a whole. */
  readonly document: BodyMember<unknown> | undefined
  /** Reads what the head holds. @throws S3Error for a member that is missing or wrong */
  decode(parts: RequestParts): HeadInput
  actionOf(input: HeadInput): string
  /** Whether `run` asks about the action, and the pipeline does not. */
  readonly asksItself: boolean
  /** What the action is about, with the version that the request names. */
  targetOf(target: Target, input: HeadInput): Target
  /** @param bytes the whole body when `body` is 'document' */
  run(
    context: OperationContext,
    input: HeadInput,
    body: { readonly stream: Body; readonly bytes: Uint8Array | undefined },
  ): Promise<Reply | SlowReply>
}

/** Decoded members by name, their types known only to the operation that they belong to. */
export type HeadInput = Readonly<Record<string, unknown>>

/** @throws Error when the definition contradicts itself; that stops the start */
export function operation<const M extends Members>(definition: OperationDefinition<M>): Operation {
  const { name, action } = definition
  const route = parseRoute(definition.route)
  const { head, document } = membersByStage(name, definition.input)
  if (document !== undefined && definition.body !== undefined) throw new Error(`${name} takes its body twice`)
  const queryNames = head.flatMap(([, { queryName }]) => queryName ?? [])

  return {
    name,
    route,
    needsBucket: route.shape !== 'service' && definition.bucket !== 'new',
    body: definition.body ?? (document === undefined ? 'none' : 'document'),
    errors: definition.errors,
    queryNames: new Set([...queryNames, ...(definition.queries ?? [])]),
    document: document?.[1],
    asksItself: definition.asksItself === true,

    decode: (parts) => Object.fromEntries(head.map(([member, spec]) => [member, spec.decode(parts)])),

    // NOTE: both casts hold because the pipeline gives an operation only what its own decode() made, and every member is in it.
    actionOf: (input) => (typeof action === 'string' ? action : action(input as HeadInputOf<M>)),
    targetOf(target, input) {
      const versionId = typeof input.VersionId === 'string' ? input.VersionId : undefined
      const isNew = definition.writes === true
      const tags = definition.tagsInBody ? 'inBody' : tagsIn(input)
      if (versionId === undefined && !isNew && tags === undefined) return target
      return { ...target, versionId, isNew, ...(tags !== undefined && { tags }) }
    },
    run(context, input, { stream, bytes }) {
      const whole = document === undefined ? input : { ...input, [document[0]]: document[1].decode(bytes ?? noBytes) }
      return definition.handle(context, whole as InputOf<M>, stream)
    },
  }
}

const noBytes = new Uint8Array(0)

/** What a write would store, however the request says it. A copy without REPLACE passes over the tags that it names. */
function tagsIn({ Tagging, TaggingDirective }: HeadInput): readonly Tag[] | undefined {
  // NOTE: a member of this name at the head of a request is always tags; the XML of PutObjectTagging is a member of its body.
  return Array.isArray(Tagging) && TaggingDirective !== 'COPY' ? (Tagging as readonly Tag[]) : undefined
}

function membersByStage(name: string, input: Members) {
  const head: [string, Member<unknown>][] = []
  let document: [string, BodyMember<unknown>] | undefined
  for (const [member, spec] of Object.entries(input)) {
    if (spec.stage === 'head') head.push([member, spec])
    else if (document === undefined) document = [member, spec]
    else throw new Error(`${name} takes its body twice`)
  }
  return { head, document }
}
