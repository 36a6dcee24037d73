// One runner and one count for every test: three kinds that need Node alone, one that runs inside a browser, and
// two that drive browsers and relays from Node, one file at a time, since they measure the whole machine.
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromiumLaunch } from './browser-path.ts'

const freshHistories = 'simulation/fresh.test.ts'

export default defineConfig({
  root: import.meta.dirname,
  test: {
    projects: [
      { test: { ...nodeProject('unit', 30_000).test, setupFiles: ['unit/equality.ts'] } },
      { test: { ...nodeProject('contract', 30_000).test, setupFiles: ['unit/equality.ts'] } },
      { test: { ...nodeProject('simulation', 120_000).test, exclude: [freshHistories] } },
      // These take the whole machine for as long as they may.
      {
        test: {
          ...nodeProject('fresh', 120_000).test,
          include: [freshHistories],
          sequence: { groupOrder: 5 },
        },
      },
      {
        root: import.meta.dirname,
        // The packages are served as they are: discovering a dependency in the middle of a run reloads the page.
        optimizeDeps: { noDiscovery: true, include: ['vitest > expect-type'] },
        test: {
          name: 'browser',
          include: ['browser/**/*.browser.test.ts'],
          globalSetup: 'browser/harness/switchboard.ts',
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: chromiumLaunch() }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      { test: { ...nodeProject('bench', 30_000).test, sequence: { groupOrder: 4 } } },
      drivingProject('e2e', 2, 60_000),
      drivingProject('chaos', 3, 180_000),
    ],
  },
})

function nodeProject(name: string, testTimeout: number) {
  return { test: { name, environment: 'node', include: [`${name}/**/*.test.ts`], testTimeout } }
}

function drivingProject(name: string, groupOrder: number, testTimeout: number) {
  return {
    test: {
      name,
      environment: 'node',
      include: [`${name}/**/*.test.ts`],
      testTimeout,
      hookTimeout: testTimeout,
      // Browsers and relays of two files share the machine well; kills under load want it for themselves.
      fileParallelism: name === 'e2e',
      maxWorkers: name === 'e2e' ? 2 : 1,
      sequence: { groupOrder },
    },
  }
}
