import type { ServerOptions } from './jupyter';

/**
 * The environment of a module: the built-in services, the app of a module team, and some that
 * somebody got wrong, each in its own way.
 */
export const MODULE: ServerOptions = {
  examples: ['genie'],
  env: { GENIE_START_SECONDS: '6' },
  declarations: {
    'maps.toml': `
[services.maps]
kind = "web"
title = "Maps"
command = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "{port}"]
requires = ["genie"]
`,
    'wrong.toml': `
[services.fickle]
kind = "web"
title = "Fickle"
command = ["sh", "-c", "echo 'settings.ini: line 3: no such colour' >&2; exit 3"]

[services.endless]
kind = "web"
title = "Endless"
command = ["sleep", "1000"]

[services.absent]
kind = "web"
title = "Absent"
command = ["no-such-program-anywhere"]
`
  }
};
