import { REPOSITORY, type ServerOptions } from './jupyter';

/** A Java program, a plain one of X, one that asks before it closes, and nothing else. */
export const DESKTOPS: ServerOptions = {
  examples: ['daisyworld'],
  declarations: {
    'desktop.toml': `
[services.clock]
kind = "desktop"
title = "Clock"
command = ["xclock", "-update", "1"]

[services.editor]
kind = "desktop"
title = "Editor"
command = ["python3", "-m", "tests.integration.asking_program"]
data_dir = "editor"
env = { PYTHONPATH = ${JSON.stringify(REPOSITORY)} }

[services.openrefine]
enabled = false
[services.postgres]
enabled = false
[services.mongo]
enabled = false
`
  }
};
