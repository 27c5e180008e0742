// What the JavaScript that ships uses of WebAssembly, whose types come with a browser's and not with Node's.

declare namespace WebAssembly {
  class Module {
    constructor(bytes: ArrayBuffer | ArrayBufferView);
  }
  function compile(bytes: ArrayBuffer | ArrayBufferView): Promise<Module>;
}
