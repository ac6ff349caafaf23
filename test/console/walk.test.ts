/** What a person does who has never seen the console, in a real browser and two real regions. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openPair, type PairRegion, rootKey } from '../support/regions-pair.ts'
import { chromiumPath, openPage } from './chromium.ts'

/** Key of an object that would run, were it taken for markup. */
const hostile = '<img src=x onerror="document.title=`taken`">\u202Etxt.exe 🦀'
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

async function signIn(page: Page, { adminUrl }: PairRegion): Promise<void> {
  await page.goto(adminUrl)
  await page.getByLabel('Access key').fill(rootKey.accessKeyId)
  await page.getByLabel('Secret key').fill(rootKey.secretAccessKey)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
}

async function makeBucket(page: Page, of: { readonly step: string; readonly label: string; readonly name: string }): Promise<void> {
  const step = page.getByRole('group', { name: of.step })
  await step.getByLabel(new RegExp(`^${of.label}: name`)).fill(of.name)
  await step.getByRole('button', { name: 'Create bucket' }).click()
  await expectValue(page, of.label, of.name)
}

async function expectValue(page: Page, label: string, value: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).waitFor()
  expect(await page.getByLabel(label, { exact: true }).inputValue()).toBe(value)
}

async function setUpReplication(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Set up cross-region replication' }).click()
  await makeBucket(page, { step: 'Which bucket is copied?', label: 'Source bucket', name: 'pictures' })
  await makeBucket(page, { step: 'Where to?', label: 'Destination bucket', name: 'pictures-far' })
  await page.getByRole('button', { name: 'Start replicating' }).click()
  await page.getByRole('heading', { name: 'It replicates' }).waitFor()
}

describe.skipIf(chromiumPath === undefined)('the console', () => {
  it('takes somebody from the sign-in to a replicated picture', { timeout: 120_000 }, async () => {
    const pair = await openPair()
    const { page, faults } = await openPage(pair.source.adminUrl)
    await signIn(page, pair.source)
    await setUpReplication(page)
    await page.getByRole('button', { name: 'Upload a test picture' }).click()
    await page.getByText('COMPLETED', { exact: true }).waitFor()
    await page.getByText('REPLICA', { exact: true }).waitFor()
    await page.waitForFunction('[...document.images].filter(({ naturalWidth }) => naturalWidth === 540).length === 2')

    await page.goto(`${pair.source.adminUrl}/replication`)
    await page.getByText('healthy').waitFor()
    await page.goto(`${pair.source.adminUrl}/buckets/pictures`)
    await page.getByRole('link', { name: /^hello-/ }).click()
    await page.getByRole('link', { name: 'Open replica' }).click()
    await page.getByText('This is a replica.').waitFor()
    expect(page.url()).toContain('/object/eu-west-1/pictures-far/')
    expect(faults).toEqual([])
  })

  it('uploads a file with its details, and shows odd names as text', { timeout: 120_000 }, async () => {
    const pair = await openPair()
    const { page, faults } = await openPage(pair.source.adminUrl)
    await signIn(page, pair.source)
    await page.goto(`${pair.source.adminUrl}/buckets?create`)
    await page.getByLabel('Name').fill('odd')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByRole('link', { name: 'odd', exact: true }).click()

    await page.getByRole('button', { name: 'Upload' }).click()
    await page.getByLabel('Files').setInputFiles({ name: hostile, mimeType: 'image/png', buffer: png })
    await page.getByText('Set details').click()
    await page.getByLabel('Storage class').selectOption('REDUCED_REDUNDANCY')
    await page.getByLabel('Server-side encryption').check()
    await page.getByLabel('Tags').fill('colour=blue')
    await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click()
    await page.getByText('done').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()

    await page.getByRole('link', { name: hostile }).click()
    await page.getByText('REDUCED_REDUNDANCY').waitFor()
    await page.getByText('AES256').waitFor()
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(hostile)
    expect(await page.title()).toBe('Farshore')
    expect(faults).toEqual([])
  })

  it('sends a large file in parts', { timeout: 120_000 }, async () => {
    const pair = await openPair()
    const { page, faults } = await openPage(pair.source.adminUrl)
    const folder = await mkdtemp(join(tmpdir(), 'farshore-large-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'large.bin')
    await writeFile(file, Buffer.alloc(40 * 1024 * 1024, 'farshore'))
    await signIn(page, pair.source)
    await page.goto(`${pair.source.adminUrl}/buckets?create`)
    await page.getByLabel('Name').fill('large')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByRole('link', { name: 'large', exact: true }).click()
    await page.getByRole('button', { name: 'Upload' }).click()
    await page.getByLabel('Files').setInputFiles(file)
    await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click()
    await page.getByText('done').waitFor({ timeout: 60_000 })
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
    await page.getByRole('link', { name: 'large.bin' }).click()
    await page.getByText(/-3"$/).waitFor()
    await page.getByText('40.0 MiB').waitFor()
    expect(faults).toEqual([])
  })

  it('lets nobody in after the sign-out', { timeout: 60_000 }, async () => {
    const pair = await openPair()
    const { page } = await openPage(pair.source.adminUrl)
    await signIn(page, pair.source)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Access key').waitFor()
    await page.goto(`${pair.source.adminUrl}/buckets`)
    await page.getByLabel('Access key').waitFor()
    expect(await page.evaluate("Object.values(localStorage).join(' ') + document.cookie")).not.toContain(rootKey.secretAccessKey)
  })
})
