/** Preloaded into servers: collects garbage when asked, so that memory is what is held. */
process.on('message', () => {
  globalThis.gc?.()
  globalThis.gc?.()
  process.send?.('collected')
})
process.channel?.unref()
