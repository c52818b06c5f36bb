// How fast this browser hands out the file's bytes at all: slices read asynchronously, several on their way at once.
'use strict';
const SLICE = 4 << 20;

const readAll = async (file, inFlight) => {
  const started = performance.now();
  let next = 0;
  const reader = async () => {
    while (next < file.size) {
      const from = next;
      next += SLICE;
      await file.slice(from, Math.min(from + SLICE, file.size)).arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, reader));
  return file.size / 1000 / (performance.now() - started);
};

// The best of several numbers of slices on their way, in MB a second.
const best = async (file) => {
  let rate = 0;
  for (const inFlight of [2, 4, 8]) rate = Math.max(rate, await readAll(file, inFlight));
  return rate;
};

self.onmessage = ({ data }) => {
  const answer = data.open ? best(data.open).then((rate) => [[String(rate)]]) : Promise.resolve(null);
  answer.then(
    (answer) => self.postMessage({ number: data.number, answer }),
    (error) => self.postMessage({ number: data.number, error: String(error) }),
  );
};
