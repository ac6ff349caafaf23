#!/usr/bin/env node
// NOTE: this file must load on any Node, however old, to say in words what an old one would crash on.
import { existsSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`farshore: Node 22.19 or newer is needed; this is ${process.versions.node}.\n`)
  process.exit(1)
}

// A clone runs its sources. The package and the image hold the compiled form alone, because Node refuses .ts below node_modules.
const source = new URL('../src/main.ts', import.meta.url)
const { main } = await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href)
await main()
