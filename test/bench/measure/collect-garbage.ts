/** Preloaded into servers: collects garbage when asked, so that memory is what is held, and says how many bytes that is. */
process.on('message', () => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  process.send?.(heapUsed + external)
})
process.channel?.unref()
