export {}
console.log('notes: the start program is not written yet')
