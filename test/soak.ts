/** How much of a long test is run: with `REJOIN_SOAK=1` all of it, else as much as a quick look needs. */
export function soak<Amount>(full: Amount, short: Amount): Amount {
  return process.env['REJOIN_SOAK'] === '1' ? full : short
}
