/** Reads an SVG file as the string that the builder makes of it. */
module.exports = {
  process: text => ({ code: `module.exports = ${JSON.stringify(text)};` })
};
