// Starts the page in a file that carries everything: its program, the worker's, and the data to open. Packed parts are gzip; the programs
// in base 85, which is shorter, the data in base64, which everybody writes.
// wasm-bindgen's script for the page stands below it, in the same element.
"use strict";
const quipuStart = async (init) => {
  const say = (sentence) => {
    const text = document.getElementById("boot-text");
    if (text) {
      text.textContent = sentence;
      text.setAttribute("role", "alert");
    }
    document.documentElement.dataset.quipuIdle = "true";
  };
  if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
    return say("This browser is too old for this file: it needs WebAssembly and DecompressionStream (Chromium 80, Firefox 113, Safari 16.4).");
  }
  const digits = new Uint8Array(128);
  [..."!#$%()*+,./0123456789:;?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~"].forEach((digit, value) => {
    digits[digit.charCodeAt(0)] = value;
  });
  const of85 = (text, length) => {
    const bytes = new DataView(new ArrayBuffer(Math.ceil(length / 4) * 4));
    for (let from = 0, to = 0; to < length; to += 4) {
      let group = 0;
      for (const end = from + 5; from < end; from++) group = group * 85 + digits[text.charCodeAt(from)];
      bytes.setUint32(to, group);
    }
    return bytes.buffer.slice(0, length);
  };
  const of64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const unpack = async (element) => {
    const length = Number(element.dataset.bytes);
    const packed = length ? of85(element.textContent, length) : of64(element.textContent);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  };
  const part = (id) => unpack(document.getElementById(id));
  try {
    // The file as it came, without what it carries: the page makes further files of it.
    const template = () => {
      const root = document.documentElement.cloneNode(true);
      root.querySelectorAll("[data-quipu-file], [data-quipu-view]").forEach((element) => element.remove());
      return `<!DOCTYPE html>\n${root.outerHTML}`;
    };
    const files = [];
    for (const element of document.querySelectorAll("[data-quipu-file]")) {
      files.push(new File([await unpack(element)], element.dataset.quipuFile, { lastModified: 0 }));
      element.textContent = "";
    }
    window.quipuCarried = {
      template: template(),
      files,
      view: document.querySelector("[data-quipu-view]")?.dataset.quipuView ?? "",
      programs: {
        "quipu-transfer": {
          script: new TextDecoder().decode(await part("quipu-transfer.js")),
          wasm: await part("quipu-transfer_bg.wasm"),
        },
      },
    };
    await init({ module_or_path: await part("quipu-web_bg.wasm") });
    document.querySelectorAll("body > script").forEach((element) => element.remove());
  } catch (error) {
    say(`This file could not be opened: ${error}. It may have been cut short or altered on its way; ask for it again.`);
    console.error(error);
  }
};
