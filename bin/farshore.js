#!/usr/bin/env node
// NOTE: this file must load on any Node, however old, to say in words what an old one would crash on.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`farshore: Node 22.19 or newer is needed; this is ${process.versions.node}.\n`)
  process.exit(1)
}

// Each start and each thread loads everything: compiled once, kept beside the dependencies where that folder can be written.
if (process.env.NODE_COMPILE_CACHE === undefined && process.env.NODE_DISABLE_COMPILE_CACHE === undefined) {
  const folder = fileURLToPath(new URL('../node_modules/.cache/farshore', import.meta.url))
  // The regions that this process starts, and their threads, take it from here.
  if (module.enableCompileCache(folder).directory !== undefined) process.env.NODE_COMPILE_CACHE = folder
}

// Node makes calls to the disk on so many threads, for all of the process: writes take at most eight of them a serving thread (patient-ops), and a
// disk that hangs on these must leave some for reads. An idle one costs next to nothing.
process.env.UV_THREADPOOL_SIZE ??= '64'

// glibc keeps up to eight heaps a core for the many threads of a process, each with holes of its own. It reads this when a process starts: the
// regions that `up` starts get it from here, the image sets it itself.
process.env.MALLOC_ARENA_MAX ??= '2'

// Requests leave little behind that lives: to look through it with helper threads costs more in waking them than they save, a tenth of all that a
// small request takes (`npm run bench`).
v8.setFlagsFromString('--no-parallel-scavenge')

// A heap may double before it is collected whole, and not grow to four times what lives in it: a fifth to a quarter less memory beside a thousand clients
// (`npm run rig -- overload`).
v8.setFlagsFromString('--heap-growing-percent=100')

// A clone runs its sources. The package and the image hold the compiled form alone, because Node refuses .ts below node_modules.
const source = new URL('../src/main.ts', import.meta.url)
const { main } = await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href)
await main()
