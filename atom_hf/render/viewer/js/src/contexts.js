// Browsers keep only so many drawing contexts: 16 in most. Viewers share a smaller number; the one that was used
// longest ago gives its own back.
const MOST = 8;
const holders = new Set();

export function claim(holder) {
  holders.delete(holder);
  holders.add(holder);
  for (const oldest of holders) {
    if (holders.size <= MOST) break;
    holders.delete(oldest);
    oldest.evict();
  }
}

export function release(holder) {
  holders.delete(holder);
}
