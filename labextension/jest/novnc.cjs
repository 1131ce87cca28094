const ts = require('typescript');

/** noVNC asks the browser at a module's top level whether it plays videos, and waits: jsdom does not. */
module.exports = {
  process: text => ({
    code: ts.transpileModule(text.replace(/= await \w+\(\);/, '= false;'), {
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2022
      }
    }).outputText
  })
};
