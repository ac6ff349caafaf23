/** A real browser, where the machine has one. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** `CHROMIUM`, or what is found on the PATH. */
export const chromiumPath: string | undefined = [
  process.env['CHROMIUM'] ?? '',
  ...(process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))),
].find((path) => path !== '' && existsSync(path))

if (chromiumPath === undefined) process.stderr.write('!! Chromium is not on this machine: the tests in a browser are SKIPPED.\n')

/** What a page did that it should not: errors of scripts, what the policy refused, requests to elsewhere. */
export interface Watched {
  readonly page: Page
  readonly faults: string[]
}

/** A page of its own, closed with the test. Nothing but this machine is asked. */
export async function openPage(origin: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const browser: Browser = await chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
    ],
  })
  onTestFinished(() => browser.close())
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`))
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) faults.push(`policy: ${message.text()}`)
  })
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (/^https?:$/.test(url.protocol) && url.origin !== origin) faults.push(`elsewhere: ${request.url()}`)
  })
  return { page, faults }
}
