import { defineConfig, type UserConfig } from 'vite'

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  build: { outDir: 'dist/site', emptyOutDir: true },
})

export default config
