import * as fs from 'node:fs/promises';

/** The numbers of the displays of a home; others on this machine have theirs. */
export async function displays(home: string): Promise<string[]> {
  const servers = await processes(/(Xtigervnc|Xvnc)\0:/, home);
  return servers.flatMap(command => /\0:(\d+)\0/.exec(command)?.[1] ?? []);
}

/** What is left of displays: sockets and locks. */
export async function remains(numbers: string[]): Promise<string[]> {
  const files = numbers.flatMap(number => [
    `/tmp/.X11-unix/X${number}`,
    `/tmp/.X${number}-lock`
  ]);
  const there = await Promise.all(
    files.map(file =>
      fs.access(file).then(
        () => true,
        () => false
      )
    )
  );
  return files.filter((_, index) => there[index]);
}

/** The programs of a name whose environment leads to a home. */
export async function processes(name: RegExp, home: string): Promise<string[]> {
  const found = [];
  for (const pid of (await fs.readdir('/proc')).filter(each =>
    /^\d/.test(each)
  )) {
    const read = (file: string): Promise<string> =>
      fs.readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const command = await read('cmdline');
    if (
      name.test(command) &&
      (await read('environ')).includes(`HOME=${home}`)
    ) {
      found.push(command);
    }
  }
  return found;
}
