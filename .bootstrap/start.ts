await import('../apps/notes/start.ts')
