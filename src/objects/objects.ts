/** The object service: all that operations and engines do with objects, in terms of values. */
import type { ObjectVersion } from '../model/version.ts'
import { copyObject, withContentOf } from './copy.ts'
import { listCurrent, listUploads, listVersions } from './list.ts'
import { abortUpload, completeUpload, createUpload, findOpenUpload, findUpload, listParts, putPart } from './multipart.ts'
import type { ObjectParts } from './parts.ts'
import { putObject } from './put.ts'
import { currentVersion, findVersion, nullVersion, openContent, partLayout } from './read.ts'
import { deleteMany, deleteObject, setAttribute } from './remove.ts'
import { restoreObject } from './restore.ts'

export type Objects = ReturnType<typeof createObjects>

/** Binds every function of this folder to its parts. Each is described where it is written. */
export function createObjects(parts: ObjectParts) {
  return {
    put: bind(parts, putObject),
    copy: bind(parts, copyObject),
    withContentOf: <T>(source: ObjectVersion, options: Parameters<typeof withContentOf<T>>[2]): Promise<T> =>
      withContentOf(parts, source, options),
    find: bind(parts, findVersion),
    current: bind(parts, currentVersion),
    nullVersion: bind(parts, nullVersion),
    partLayout: bind(parts, partLayout),
    open: bind(parts, openContent),
    delete: bind(parts, deleteObject),
    deleteMany: bind(parts, deleteMany),
    setAttribute: bind(parts, setAttribute),
    restore: bind(parts, restoreObject),
    listCurrent: bind(parts, listCurrent),
    listVersions: bind(parts, listVersions),
    createUpload: bind(parts, createUpload),
    findUpload: bind(parts, findUpload),
    findOpenUpload: bind(parts, findOpenUpload),
    putPart: bind(parts, putPart),
    completeUpload: bind(parts, completeUpload),
    abortUpload: bind(parts, abortUpload),
    listParts: bind(parts, listParts),
    listUploads: bind(parts, listUploads),
  } as const
}

function bind<Args extends readonly unknown[], Result>(
  parts: ObjectParts,
  work: (parts: ObjectParts, ...args: Args) => Result,
): (...args: Args) => Result {
  return (...args) => work(parts, ...args)
}
