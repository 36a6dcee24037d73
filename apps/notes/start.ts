export {}
console.log('notes: the start program is not written yet')
await new Promise(() => setInterval(() => {}, 1000))
