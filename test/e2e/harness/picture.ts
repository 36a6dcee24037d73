/**
 * Pictures of what people see, for people to look at. They are taken into the folder that `REJOIN_SCREENSHOTS` names;
 * without it nothing here does anything, and nothing is judged by them.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright'

const folder = process.env['REJOIN_SCREENSHOTS'] ?? ''

/** As the page is when all that moves has come to rest. */
export async function photograph(page: Page, name: string): Promise<void> {
  if (folder !== '') await page.screenshot({ path: pathOf(name), animations: 'disabled' })
}

/** As it is on a phone. */
export async function photographNarrow(page: Page, name: string): Promise<void> {
  if (folder === '') return
  await atSize(page, { width: 390, height: 780 }, () => photograph(page, name))
}

/** Two windows side by side in one picture. */
export async function photographPair(pages: readonly [Page, Page], name: string): Promise<void> {
  if (folder === '') return
  const pictures = await Promise.all(
    pages.map(async page => {
      let picture = ''
      await atSize(page, { width: 760, height: 520 }, async () => {
        picture = (await page.screenshot({ animations: 'disabled' })).toString('base64')
      })
      return `<img src="data:image/png;base64,${picture}">`
    }),
  )
  const context = await pages[0]
    .context()
    .browser()
    ?.newContext({ viewport: { width: 1580, height: 560 } })
  if (context === undefined) throw new Error('Playwright gives no browser for a profile')
  const table = await context.newPage()
  await table.setContent(`<style>
    body { margin: 0; padding: 20px; display: flex; gap: 20px; background: #d9d4cc }
    img { border-radius: 10px; box-shadow: 0 2px 10px rgb(0 0 0 / 0.25) }
  </style>${pictures.join('')}`)
  await table.screenshot({ path: pathOf(name) })
  await context.close()
}

async function atSize(
  page: Page,
  size: { readonly width: number; readonly height: number },
  run: () => Promise<void>,
): Promise<void> {
  const before = page.viewportSize()
  await page.setViewportSize(size)
  await run()
  if (before !== null) await page.setViewportSize(before)
}

function pathOf(name: string): string {
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
