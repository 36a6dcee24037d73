// Of the test run that another test starts.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: import.meta.dirname,
  test: { include: ['closing-under-vitest.ts'], teardownTimeout: 2000, testTimeout: 20_000 },
})
