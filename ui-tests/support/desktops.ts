import type { ServerOptions } from './jupyter';

/** A Java program and a plain one of X, and nothing else. */
export const DESKTOPS: ServerOptions = {
  examples: ['daisyworld'],
  declarations: {
    'desktop.toml': `
[services.clock]
kind = "desktop"
title = "Clock"
command = ["xclock", "-update", "1"]

[services.openrefine]
enabled = false
[services.postgres]
enabled = false
[services.mongo]
enabled = false
`
  }
};
