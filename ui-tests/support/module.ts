import type { ServerOptions } from './jupyter';

/** A command that first waits for as long as a test holds the service (`JupyterServer.hold`). */
function held(name: string, command: string): string {
  const wait = `while [ -e "$HOME/held/${name}" ]; do sleep 0.1; done`;
  return JSON.stringify(['sh', '-c', `${wait}; ${command}`]);
}

/**
 * The environment of a module: the built-in services, the app of a module team, and some that
 * somebody got wrong, each in its own way.
 */
export const MODULE: ServerOptions = {
  examples: ['genie'],
  declarations: {
    'held.toml': `
[services.genie]
command = ${held('genie', 'exec node genie/server.js')}
`,
    // A backup taken by the clock would come between those that tests count.
    'clock.toml': `
[services.postgres]
backup = { every = "never" }
`,
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
command = ${held('fickle', "echo 'settings.ini: line 3: no such colour' >&2; exit 3")}

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
