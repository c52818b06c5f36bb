// Remembers the memory of the first WebAssembly module that is made, to tell its size. It never shrinks, so its size is its peak.
(() => {
  const isMemory = (value) => value instanceof WebAssembly.Memory;
  const keep = (made, imports) => {
    const places = [(made.instance ?? made).exports, ...Object.values(imports ?? {})];
    self.wasmMemory ??= places.flatMap((place) => Object.values(place)).find(isMemory);
    return made;
  };
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const original = WebAssembly[name];
    WebAssembly[name] = (module, imports) => original.call(WebAssembly, module, imports).then((made) => keep(made, imports));
  }
  // Quipu's worker has no message for this, so it is asked beside its own channel.
  const channel = new BroadcastChannel('wasm-memory');
  channel.onmessage = ({ data }) => {
    if (data === 'ask') channel.postMessage({ bytes: self.wasmMemory?.buffer.byteLength ?? null });
  };
})();
