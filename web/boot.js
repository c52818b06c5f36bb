// Starts the page's wasm. A file of its own because the page's policy forbids inline scripts.
// `__QUIPU_BUILD__` becomes the build id, so that no cache mixes the files of two builds.
"use strict";
(() => {
  const build = "__QUIPU_BUILD__";
  const say = (sentence) => {
    const text = document.getElementById("boot-text");
    if (text) {
      text.textContent = sentence;
      text.setAttribute("role", "alert");
    }
    document.documentElement.dataset.quipuIdle = "true";
  };

  if (location.protocol === "file:") {
    say(
      "Quipu can’t start from a file:// address: browsers do not let a page opened from disk load its program. " +
        "Run “cargo xtask run”, or any static web server, in its folder and open the http address it prints.",
    );
    return;
  }
  if (typeof WebAssembly !== "object") {
    say("This browser has WebAssembly turned off, and Quipu is made of it. Turn it on, or use another browser.");
    return;
  }
  import(`./quipu-web.js?v=${build}`)
    .then((page) => page.default({ module_or_path: new URL(`./quipu-web_bg.wasm?v=${build}`, document.baseURI) }))
    .catch((error) => {
      say(
        `Quipu’s program could not be loaded: ${error}. Reload the page; if that does not help, ` +
          "check that quipu-web.js and quipu-web_bg.wasm lie beside index.html on the server.",
      );
      console.error(error);
    });
})();
