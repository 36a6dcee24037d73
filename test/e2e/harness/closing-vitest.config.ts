// Of the test run that another test starts.
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: join(import.meta.dirname, '..', '..'),
  test: { include: ['e2e/harness/closing-under-vitest.ts'], teardownTimeout: 2000, testTimeout: 20_000 },
})
